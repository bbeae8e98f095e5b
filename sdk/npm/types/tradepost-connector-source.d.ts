/// <reference path="./tradepost-connector-records.d.ts" />
/// <reference path="./tradepost-connector-types.d.ts" />
declare module 'tradepost:connector/source@0.1.0-draft.1' {
  /**
   * Reads one page; asked again with its `next` until there is none.
   */
  export function pull(request: Request): Page;
  /**
   * The page with this receipt is durable. May be called again with the same receipt, also by a later build.
   */
  export function acknowledge(kind: Kind, receipt: string): void;
  export type Timestamp = import('tradepost:connector/types@0.1.0-draft.1').Timestamp;
  export type RemoteRef = import('tradepost:connector/types@0.1.0-draft.1').RemoteRef;
  export type Error = import('tradepost:connector/types@0.1.0-draft.1').Error;
  export type Kind = import('tradepost:connector/records@0.1.0-draft.1').Kind;
  export type Records = import('tradepost:connector/records@0.1.0-draft.1').Records;
  export type Deletion = import('tradepost:connector/records@0.1.0-draft.1').Deletion;
  export type Unreadable = import('tradepost:connector/records@0.1.0-draft.1').Unreadable;
  export type Present = import('tradepost:connector/records@0.1.0-draft.1').Present;
  /**
   * A time that a reading of changes covers.
   */
  export interface Window {
    since?: Timestamp | null,
    until: Timestamp,
  }
  /**
   * What to read.
   */
  export type Scope = ScopeChanged | ScopeIds | ScopePresent;
  /**
   * Changed since (absent: everything) and not after `until`.
   */
  export interface ScopeChanged {
    tag: 'changed',
    val: Window,
  }
  /**
   * Just these ids.
   */
  export interface ScopeIds {
    tag: 'ids',
    val: Array<string>,
  }
  /**
   * Only the ids of all there is, in `page.present`.
   */
  export interface ScopePresent {
    tag: 'present',
  }
  /**
   * What is to be read, and where the reading goes on.
   */
  export interface Request {
    kind: Kind,
    scope: Scope,
    /**
     * What the last page of this scope returned in `next`.
     */
    cursor?: string | null,
    /**
     * Records wanted, at most 1,000; a page is at most 16 MiB.
     */
    limit: number,
  }
  /**
   * One page. Records, deletions, stored keys and the cursor become durable together.
   */
  export interface Page {
    /**
     * Of the kind that was asked for; empty lists are fine.
     */
    records: Array<Records>,
    deleted: Array<Deletion>,
    unreadable: Array<Unreadable>,
    present: Array<Present>,
    /**
     * Absent: this scope is complete. Opaque, at most 4 KiB.
     */
    next?: string | null,
    /**
     * Up to which platform time everything has been seen once the scope is complete; the host starts the next
     * `changed` scope here. Absent: the scope's `until`. An overlap for coarse clocks is the connector's to subtract.
     */
    watermark?: Timestamp | null,
    /**
     * To be acknowledged once durable; absent: nothing to acknowledge.
     */
    receipt?: string | null,
    total?: number | null,
  }
}
