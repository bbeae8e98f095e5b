/// <reference path="./tradepost-connector-records.d.ts" />
/// <reference path="./tradepost-connector-types.d.ts" />
declare module 'tradepost:connector/connector@0.1.0-draft.1' {
  /**
   * What the connector is, does and asks for; computed from nothing but the file.
   */
  export function describe(): Description;
  /**
   * Whom the credentials reach. Reads only.
   */
  export function check(): Account;
  export type Text = import('tradepost:connector/types@0.1.0-draft.1').Text;
  export type Decimal = import('tradepost:connector/types@0.1.0-draft.1').Decimal;
  export type Timestamp = import('tradepost:connector/types@0.1.0-draft.1').Timestamp;
  export type Currency = import('tradepost:connector/types@0.1.0-draft.1').Currency;
  export type Language = import('tradepost:connector/types@0.1.0-draft.1').Language;
  export type TaxBasis = import('tradepost:connector/types@0.1.0-draft.1').TaxBasis;
  export type Json = import('tradepost:connector/types@0.1.0-draft.1').Json;
  export type Error = import('tradepost:connector/types@0.1.0-draft.1').Error;
  export type Kind = import('tradepost:connector/records@0.1.0-draft.1').Kind;
  export type Removal = import('tradepost:connector/records@0.1.0-draft.1').Removal;
  /**
   * Which stock figure is meant: physical goods, or goods that can still be sold.
   * # Variants
   * 
   * ## `"on-hand"`
   * 
   * ## `"available"`
   */
  export type StockFigure = 'on-hand' | 'available';
  /**
   * How a kind is read.
   */
  export interface Reading {
    /**
     * Changes since a time are understood; else every pull is a full list.
     */
    changes: boolean,
    /**
     * Records can be fetched by id.
     */
    ids: boolean,
    /**
     * All ids can be listed (sweeps).
     */
    present: boolean,
    /**
     * Reading changes the platform (opens a batch): no preview.
     */
    writes: boolean,
    /**
     * Stock only.
     */
    figure?: StockFigure | null,
  }
  /**
   * An order event that a connector can apply: the cases of `happening`, and `placed` for the order itself.
   * # Variants
   * 
   * ## `"placed"`
   * 
   * ## `"paid"`
   * 
   * ## `"cancelled"`
   * 
   * ## `"refunded"`
   * 
   * ## `"numbered"`
   * 
   * ## `"completed"`
   */
  export type OrderHappening = 'placed' | 'paid' | 'cancelled' | 'refunded' | 'numbered' | 'completed';
  /**
   * How a kind is written.
   */
  export interface Writing {
    /**
     * Facets that can be written, `*` matches the rest of a key: `head`, `texts:*`, `price:base:*`.
     */
    facets: Array<string>,
    /**
     * Order events that can be applied (kinds `order` and `order-event`).
     */
    events: Array<OrderHappening>,
    create: boolean,
    update: boolean,
    removals: Array<Removal>,
    /**
     * Most records per `push` call. 1 unless the platform takes the whole batch in one request.
     */
    maxBatch: number,
    /**
     * The platform refuses or ignores a second write with the same `head.item`.
     */
    idempotent: boolean,
    /**
     * Most characters of a marker that can be written on the object; absent: it has no free field.
     */
    marker?: number | null,
    createDone: boolean,
    /**
     * Stock only.
     */
    figure?: StockFigure | null,
  }
  /**
   * `find` works for this kind and sees a new record after at most so many seconds (0: at once).
   */
  export interface Lookup {
    lagSeconds: number,
  }
  /**
   * What the connector does for one kind.
   */
  export interface Ability {
    kind: Kind,
    reading?: Reading | null,
    writing?: Writing | null,
    lookup?: Lookup | null,
  }
  /**
   * Where a request may go. `host` is a name, `*.` + name, or `{setting}` for scheme, host and port of a URL setting.
   */
  export interface Origin {
    scheme: string,
    host: string,
    port?: number | null,
    why: Array<Text>,
  }
  /**
   * Where and how a token is asked for with client credentials.
   */
  export interface Oauth {
    /**
     * May contain `{setting}`.
     */
    tokenUrl: string,
    scopes: Array<string>,
    /**
     * Client id and secret travel in the Authorization header, else in the form.
     */
    clientInHeader: boolean,
  }
  /**
   * The request that logs in, and where the token is found and goes.
   */
  export interface Session {
    method: string,
    /**
     * May contain `{setting}`.
     */
    url: string,
    /**
     * `{username}` and `{password}` are replaced, escaped for the media type (JSON, form or XML).
     */
    body: string,
    mediaType: string,
    /**
     * Where the token is in the answer: `header:NAME`, `cookie:NAME` or a JSON pointer.
     */
    tokenAt: string,
    /**
     * Header that carries the token afterwards, and what stands before it, e.g. `Bearer `.
     */
    header: string,
    prefix: string,
    /**
     * Life of a token if the platform does not say.
     */
    seconds?: number | null,
  }
  /**
   * How the host places a secret. The operator enters the fields named in brackets.
   */
  export type Scheme = SchemeBearer | SchemeBasic | SchemeHeader | SchemeQuery | SchemeOauthClient | SchemeSession;
  /**
   * `Authorization: Bearer {token}` [token].
   */
  export interface SchemeBearer {
    tag: 'bearer',
  }
  /**
   * `Authorization: Basic` [username, password].
   */
  export interface SchemeBasic {
    tag: 'basic',
  }
  /**
   * The named header [value].
   */
  export interface SchemeHeader {
    tag: 'header',
    val: string,
  }
  /**
   * The named query parameter [value].
   */
  export interface SchemeQuery {
    tag: 'query',
    val: string,
  }
  /**
   * OAuth 2 client credentials [client-id, client-secret].
   */
  export interface SchemeOauthClient {
    tag: 'oauth-client',
    val: Oauth,
  }
  /**
   * Log-in by request; the host keeps the token [username, password].
   */
  export interface SchemeSession {
    tag: 'session',
    val: Session,
  }
  /**
   * A credential and the only origins it may be sent to (indexes into `origins`).
   */
  export interface Credential {
    name: string,
    title: Array<Text>,
    scheme: Scheme,
    origins: Uint32Array,
    required: boolean,
  }
  /**
   * A named token bucket shared by all calls of the platform.
   */
  export interface Rate {
    name: string,
    perSecond: Decimal,
    burst: number,
    concurrent?: number | null,
    /**
     * Answer header with the requests left, where the platform sends one.
     */
    remainingHeader?: string | null,
  }
  /**
   * Everything the host needs to know.
   */
  export interface Description {
    /**
     * Reverse domain name, never changes, e.g. `eu.tradepost.vendure`.
     */
    id: string,
    /**
     * Semantic version of this build.
     */
    version: string,
    name: Array<Text>,
    vendor: string,
    about: Array<Text>,
    /**
     * Who shares remote ids: a platform may change its connector while this is equal.
     */
    idSpace: string,
    /**
     * Raised when the connector maps values differently, so that hashes of older sends are not comparable.
     */
    mappingRevision: number,
    /**
     * Raised when stored keys or cursors change so that an older build cannot read them.
     */
    storageVersion: number,
    abilities: Array<Ability>,
    /**
     * JSON Schema (draft 2020-12) of an object with scalar properties; `title`, `description`, `default`,
     * `enum`, `pattern` and `format: uri` are shown and checked.
     */
    settingsSchema: Json,
    origins: Array<Origin>,
    credentials: Array<Credential>,
    rates: Array<Rate>,
    /**
     * Asks for an exchange folder.
     */
    files: boolean,
  }
  /**
   * Whether real buyers are behind the account.
   * # Variants
   * 
   * ## `"live"`
   * 
   * ## `"test"`
   */
  export type Environment = 'live' | 'test';
  /**
   * A sales place: currency, basis and languages decide how prices and texts are projected.
   */
  export interface Channel {
    id: string,
    name: string,
    currency: Currency,
    basis: TaxBasis,
    languages: Array<Language>,
    countries: Array<string>,
    /**
     * IANA name, e.g. `Europe/Berlin`.
     */
    zone: string,
  }
  /**
   * A place with stock of its own.
   */
  export interface Warehouse {
    id: string,
    name: string,
  }
  /**
   * Whom the credentials reached. A changed `id` stops the platform: its links belong to another account.
   */
  export interface Account {
    id: string,
    name: string,
    environment: Environment,
    zone: string,
    /**
     * The platform's clock, where it shows one.
     */
    now?: Timestamp | null,
    /**
     * At least one.
     */
    channels: Array<Channel>,
    warehouses: Array<Warehouse>,
  }
}
