declare module 'tradepost:connector/types@0.1.0-draft.1' {
  /**
   * Decimal number as text: `-?[0-9]{1,18}(\.[0-9]{1,9})?`, no exponent, no grouping. Never through a float.
   */
  export type Decimal = string;
  /**
   * Instant in UTC, RFC 3339 with `Z`, e.g. `2026-11-22T08:00:00Z`. The connector converts platform-local times.
   */
  export type Timestamp = string;
  /**
   * Calendar day `YYYY-MM-DD` in the platform's zone.
   */
  export type Date = string;
  /**
   * Language tag (BCP 47), e.g. `de`, `hu`, `en-GB`.
   */
  export type Language = string;
  /**
   * ISO 4217 code, upper case.
   */
  export type Currency = string;
  /**
   * JSON document (RFC 8259), at most 64 KiB, for operator-chosen values that have a schema elsewhere.
   */
  export type Json = string;
  /**
   * Whether amounts contain tax.
   * # Variants
   * 
   * ## `"net"`
   * 
   * ## `"gross"`
   */
  export type TaxBasis = 'net' | 'gross';
  /**
   * An amount that stands alone.
   */
  export interface Money {
    amount: Decimal,
    currency: Currency,
    basis: TaxBasis,
  }
  /**
   * One text in one language.
   */
  export interface Text {
    language: Language,
    value: string,
  }
  /**
   * A named value.
   */
  export interface Field {
    name: string,
    value: string,
  }
  /**
   * A record's identity on this platform.
   */
  export interface RemoteRef {
    /**
     * The platform's id, 1 to 255 bytes.
     */
    id: string,
    /**
     * Id of the owner where ids are only reachable below it (variant below product).
     */
    parent?: string | null,
    /**
     * Version or ETag for conflict checks.
     */
    version?: string | null,
  }
  /**
   * Another record: `id` is its id on *this* platform (the host fills it when pushing), `key` its natural key
   * (SKU, order number, e-mail, category key). At least one of them is there.
   */
  export interface Link {
    id?: string | null,
    key: string,
  }
  /**
   * Bytes the host keeps. `id` is random per platform: it says nothing about the content and opens nothing elsewhere.
   */
  export interface BlobRef {
    id: string,
    size: number,
    mediaType: string,
    name?: string | null,
  }
  /**
   * One thing wrong with one field.
   */
  export interface Issue {
    /**
     * Path in the record, e.g. `lines[2].tax-percent`; empty for the whole record.
     */
    path: string,
    /**
     * The platform's code.
     */
    code?: string | null,
    /**
     * The platform's own words.
     */
    message: string,
  }
  /**
   * A value the operator has to map first, e.g. `payment` / `klarna_b2b`.
   */
  export interface Missing {
    table: string,
    value: string,
    label?: string | null,
  }
  /**
   * How a call or an item failed. What the host does next follows from the case alone.
   */
  export type Error = ErrorAuth | ErrorThrottled | ErrorUnavailable | ErrorTimeout | ErrorRejected | ErrorMappingMissing | ErrorConflict | ErrorNotFound | ErrorUnsupported | ErrorDenied | ErrorBug;
  /**
   * Credentials refused: pauses the platform, one alert.
   */
  export interface ErrorAuth {
    tag: 'auth',
    val: string,
  }
  /**
   * Ask again after so many seconds; nothing was done.
   */
  export interface ErrorThrottled {
    tag: 'throttled',
    val: number,
  }
  /**
   * Platform down or unreachable and *nothing was done*: retried.
   */
  export interface ErrorUnavailable {
    tag: 'unavailable',
    val: string,
  }
  /**
   * Answer unknown, *may have been done*: the host calls `find` before it repeats.
   */
  export interface ErrorTimeout {
    tag: 'timeout',
    val: string,
  }
  /**
   * Wrong data, nothing was done: waits for a person.
   */
  export interface ErrorRejected {
    tag: 'rejected',
    val: Array<Issue>,
  }
  /**
   * One mapping question for all records that need it; nothing was done.
   */
  export interface ErrorMappingMissing {
    tag: 'mapping-missing',
    val: Missing,
  }
  /**
   * Somebody changed it meanwhile, nothing was done; the text is the current version if known.
   */
  export interface ErrorConflict {
    tag: 'conflict',
    val: string | null | undefined,
  }
  /**
   * The record is not on the platform.
   */
  export interface ErrorNotFound {
    tag: 'not-found',
    val: string,
  }
  /**
   * The connector cannot do this.
   */
  export interface ErrorUnsupported {
    tag: 'unsupported',
    val: string,
  }
  /**
   * The host refused: grant, limit or quota, in words an operator can act on.
   */
  export interface ErrorDenied {
    tag: 'denied',
    val: string,
  }
  /**
   * A defect of the connector.
   */
  export interface ErrorBug {
    tag: 'bug',
    val: string,
  }
}
