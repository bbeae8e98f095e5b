/// <reference path="../types/tradepost-connector-blobs.d.ts" />
/// <reference path="../types/tradepost-connector-catalog.d.ts" />
/// <reference path="../types/tradepost-connector-connector.d.ts" />
/// <reference path="../types/tradepost-connector-files.d.ts" />
/// <reference path="../types/tradepost-connector-head.d.ts" />
/// <reference path="../types/tradepost-connector-http.d.ts" />
/// <reference path="../types/tradepost-connector-outcomes.d.ts" />
/// <reference path="../types/tradepost-connector-platform.d.ts" />
/// <reference path="../types/tradepost-connector-records.d.ts" />
/// <reference path="../types/tradepost-connector-report.d.ts" />
/// <reference path="../types/tradepost-connector-sales.d.ts" />
/// <reference path="../types/tradepost-connector-source.d.ts" />
/// <reference path="../types/tradepost-connector-storage.d.ts" />
/// <reference path="../types/tradepost-connector-target.d.ts" />
/// <reference path="../types/tradepost-connector-types.d.ts" />

import type * as blobs from "tradepost:connector/blobs@0.1.0-draft.1";
import type * as catalog from "tradepost:connector/catalog@0.1.0-draft.1";
import type * as connector from "tradepost:connector/connector@0.1.0-draft.1";
import type * as exchange from "tradepost:connector/files@0.1.0-draft.1";
import type * as head from "tradepost:connector/head@0.1.0-draft.1";
import type * as outcomes from "tradepost:connector/outcomes@0.1.0-draft.1";
import type * as records from "tradepost:connector/records@0.1.0-draft.1";
import type * as sales from "tradepost:connector/sales@0.1.0-draft.1";
import type * as source from "tradepost:connector/source@0.1.0-draft.1";
import type * as target from "tradepost:connector/target@0.1.0-draft.1";
import type * as types from "tradepost:connector/types@0.1.0-draft.1";
/** The contract's types, generated from its WIT: `catalog.Product`, `sales.Order` ... */
export type { blobs, catalog, connector, exchange, head, outcomes, records, sales, source, target, types };

type Awaitable<T> = T | Promise<T>;

/** What every connector has. */
export interface Connector {
  /** What it is, can do and asks for. Runs once per file with every power refused: no requests, no settings. */
  describe(): connector.Description;
  /** Whom the credentials reach. */
  check(): Awaitable<connector.Account>;
}
/** Reading from the platform. */
export interface Source {
  pull(request: source.Request): Awaitable<source.Page>;
  /** The page with this receipt is durable. */
  acknowledge?(kind: records.Kind, receipt: string): Awaitable<void>;
}
/** Writing to the platform. */
export interface Target {
  /** Write the records and settle each of them: see `each`. */
  push(batch: records.Records): Awaitable<void>;
  remove?(kind: records.Kind, items: target.Doomed[], how: records.Removal): Awaitable<void>;
  /** All matches per probe, in the order of the probes. */
  find?(kind: records.Kind, probes: target.Probe[]): Awaitable<target.Found[][]>;
}

/**
 * Makes the connector of an object. What its functions give is compared with the contract before it leaves them, and an error says
 * where it differs: `page.records[0].products[3].texts[0].name: expected text, found null`. A record of `readRows` that differs
 * becomes unreadable instead, and stops no other.
 */
export declare function defineConnector<T extends Connector & Partial<Source> & Partial<Target>>(connector: T): T;

/** How a call or an item failed. What the host does next follows from `payload.tag` alone. */
export declare class ConnectorError extends Error {
  readonly payload: types.Error;
  constructor(payload: types.Error);
  /** Credentials refused: pauses the platform. */
  static auth(message: string): ConnectorError;
  /** Ask again after so many seconds; nothing was done. */
  static throttled(seconds: number): ConnectorError;
  /** Platform away and nothing was done: tried again. */
  static unavailable(message: string): ConnectorError;
  /** Answer unknown, it may have been done: the host asks `find` before it repeats. */
  static timeout(message: string): ConnectorError;
  /** Wrong data, nothing was done: waits for a person. `path` says where, e.g. `variants[0].sku`. */
  static rejected(path: string, message: string, code?: string | null): ConnectorError;
  /** A value that the operator has to map first. */
  static mappingMissing(table: string, value: string, label?: string | null): ConnectorError;
  /** Somebody changed it meanwhile, nothing was done. */
  static conflict(version?: string | null): ConnectorError;
  /** The record is not on the platform. */
  static notFound(message: string): ConnectorError;
  /** The connector cannot do this. */
  static unsupported(message: string): ConnectorError;
  /** A defect of the connector. */
  static bug(message: string): ConnectorError;
}

/**
 * Reads what the platform says with a status that is not 2xx: `body` is JSON where it is, else text. A text takes the place of the
 * body in the error; a `ConnectorError` is thrown as it is, whatever the status; anything else leaves both to `Api`.
 */
export type Explain = (status: number, body: unknown) => string | ConnectorError | null | undefined;
/** Values for a query; those that are absent are left out. */
export type Query = Record<string, string | number | boolean | null | undefined>;
export interface RequestOptions {
  query?: Query;
  /** Sent as JSON. */
  json?: unknown;
  /** Sent as it is. */
  body?: string | Uint8Array;
  headers?: Record<string, string>;
  /** Name of a declared credential; the host places it. */
  credential?: string;
  /** Name of a declared rate. */
  rate?: string;
  /** `safe`: only reads, whatever the method. `never`: sent once, counted as a write. */
  repeat?: "by-method" | "safe" | "never";
  /** In place of that of the `Api`. */
  explain?: Explain;
}
/**
 * Requests to a platform's JSON interface. A status that is not 2xx is thrown as what it means: 401 and 403 `auth`, 404
 * and 410 `not-found`, 409 and 412 `conflict`, 429 `throttled`, other 4xx `rejected` with the platform's words; 5xx is
 * `unavailable` for a read and `timeout` for a write, which may have been done. `conflict` means that somebody changed the record
 * meanwhile, and is tried again: a platform that says 409 of a SKU that is taken needs an `explain` that makes it `rejected`.
 *
 * Whole numbers beyond 2^53 in an answer come as text, so that an id is never rounded.
 */
export declare class Api {
  /** `base` is an address without a slash at its end. */
  constructor(base: string, defaults?: { credential?: string; rate?: string; headers?: Record<string, string>; explain?: Explain });
  get<T = unknown>(path: string, query?: Query): Promise<T>;
  post<T = unknown>(path: string, json: unknown, options?: RequestOptions): Promise<T>;
  put<T = unknown>(path: string, json: unknown, options?: RequestOptions): Promise<T>;
  patch<T = unknown>(path: string, json: unknown, options?: RequestOptions): Promise<T>;
  delete<T = unknown>(path: string, options?: RequestOptions): Promise<T>;
  /** Sends and reads the answer as JSON; `null` for an empty one with status 202 or 204, or to DELETE. Other answers that say nothing are none: use `send` for a platform that gives them. */
  request<T = unknown>(method: string, path: string, options?: RequestOptions): Promise<T>;
  /** Sends and gives the answer as it is, for its headers or a body that is not JSON. */
  send(method: string, path: string, options?: RequestOptions): Promise<Response>;
}

/**
 * What an answer of `fetch` says, as JSON, with statuses thrown as `Api` does; of a request that is no GET, its method and
 * what was said of repeating it.
 */
export declare function answered<T = unknown>(
  response: Response, request?: { method?: string; repeat?: "by-method" | "safe" | "never"; explain?: Explain },
): Promise<T>;

/** Reads JSON as `Api` does: whole numbers beyond 2^53, which a number would round, come as text. For files and for `fetch`. */
export declare function parseJson<T = unknown>(text: string): T;

/** The platform's settings, valid by the declared schema, defaults filled in. */
export declare function settings<T>(): T;
/** The host's clock. */
export declare function now(): types.Timestamp;
/** In a preview requests that are not reads are refused. */
export declare function preview(): boolean;
type Line = (message: string, fields?: Record<string, unknown>) => void;
/** Lines for the host's log; secrets are masked there. */
export declare const log: { debug: Line; info: Line; warn: Line; error: Line };
/** Says how far a long call is. */
export declare function progress(done: number, total?: number | null, current?: string): void;
/** Texts by key, private to the platform. They commit with the call's result. */
export declare const storage: {
  get(key: string): string | null;
  set(key: string, text: string): void;
  remove(key: string): void;
  keys(prefix?: string, after?: string | null, limit?: number): string[];
};
/** The exchange folder, where the connector asks for one: `inbox`, `outbox`, `done`, `failed`. */
export declare const files: {
  entries(folder: string): exchange.Entry[];
  read(path: string): Uint8Array;
  exists(path: string): boolean;
  write(path: string, bytes: string | Uint8Array): void;
  /** Only in `acknowledge`. */
  rename(path: string, target: string): void;
};

/** Says what became of a pushed item. */
export declare function settle(item: string, outcome: outcomes.Outcome): void;
/** Writes item by item and settles each by what its function gives or throws. Ends where the next would fare the same. */
export declare function each<R extends { head: head.Head }>(
  records: R[],
  write: (record: R) => Awaitable<outcomes.Outcome>,
): Promise<void>;
type Written = Partial<Omit<outcomes.Written, "remote">>;
/** The object exists and all is written. */
export declare function done(remote: types.RemoteRef, written?: Written): outcomes.Outcome;
/** The object exists, steps are missing. */
export declare function partial(remote: types.RemoteRef, written?: Written): outcomes.Outcome;
/** Nothing had to be written. */
export declare function unchanged(remote: types.RemoteRef): outcomes.Outcome;
/** A reference to an object on the platform. */
export declare function remote(
  id: string | number,
  more?: { parent?: string | number | null; version?: string | null },
): types.RemoteRef;
/** The head of a record that was read. */
export declare function readHead(
  id: string | number,
  more?: { parent?: string | number | null; updated?: string | null; marker?: string | null; parts?: head.Part[] },
): head.Head;
/** One page; what is left out is empty. */
export declare function page(page?: Partial<source.Page>): source.Page;
/**
 * Rows as records: one that cannot be converted is handed over raw, for a person to look at, and stops no other. Errors that
 * concern more than this row are thrown: all but `rejected` and defects. A row whose record is not what the contract has
 * (`name: null` where a text is due) becomes unreadable too, when its page leaves `pull`. Hand the records on as they are, or in
 * another list: copies of them are not known to be of a row.
 */
export declare function readRows<Row, R>(
  rows: Row[],
  convert: (row: Row) => R,
  id?: (row: Row) => string | number | null | undefined,
): { records: R[]; unreadable: records.Unreadable[] };
/** Texts of one language of a product or category. */
export declare function texts(language: string, name: string, more?: Partial<catalog.Texts>): catalog.Texts;
/** A text in English, and in other languages where there are some: `text("Shop", { de: "Laden" })`. */
export declare function text(english: string, others?: Record<string, string>): types.Text[];

/** One setting: a scalar with title, default and bounds, as JSON Schema has them. */
export interface Setting {
  type: "string" | "integer" | "number" | "boolean";
  title: string;
  description?: string;
  default?: string | number | boolean;
  enum?: (string | number)[];
  pattern?: string;
  format?: "uri";
  minimum?: number;
  maximum?: number;
  /** Needs no value although it has no default. */
  optional?: boolean;
}
/** A JSON Schema of settings: what has no default is needed, unless it says `optional: true`. */
export declare function settingsSchema(properties: Record<string, Setting>): types.Json;

/** Checks a decimal number of the platform and gives it as the contract has it. Numbers with fractions are refused: they are floats. */
export declare function decimal(value: unknown): types.Decimal;
/** Whether two decimals are the same number: `1.50` is `1.5`. */
export declare function sameDecimal(a: string, b: string): boolean;

/** How many decimals the smallest unit of a currency has (ISO 4217): 2 for `EUR`, 0 for `JPY`, 3 for `KWD`. */
export declare function currencyDigits(currency: string): number;
/** Smallest units as the decimal that they are: `fromMinor(1050, "EUR")` is `10.50`, `fromMinor(350, 3)` is `0.350`. */
export declare function fromMinor(units: number | string, currencyOrDecimals: string | number): types.Decimal;
/** A decimal in smallest units: `toMinor("10.5", "EUR")` is 1050. What has more decimals than that is `rejected` at `path`. */
export declare function toMinor(amount: types.Decimal, currencyOrDecimals: string | number, path?: string): number;
/** A text of the platform: anything else is `rejected` at `path`, so that its row waits for a person. */
export declare function asText(value: unknown, path: string): string;
/** A time with an offset as the contract has it: UTC with a `Z`. One without an offset, or that no calendar has, is refused. */
export declare function utc(time: string): types.Timestamp;
