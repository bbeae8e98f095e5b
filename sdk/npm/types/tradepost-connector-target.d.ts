/// <reference path="./tradepost-connector-head.d.ts" />
/// <reference path="./tradepost-connector-records.d.ts" />
/// <reference path="./tradepost-connector-types.d.ts" />
declare module 'tradepost:connector/target@0.1.0-draft.1' {
  /**
   * Write the records; report each with `report.settle`. What is not settled when the call ends is certainly not
   * done if no unsafe request left, else unknown. An `err` says why the rest was not tried.
   */
  export function push(batch: Records): void;
  /**
   * Remove records, settled like `push`.
   */
  export function remove(kind: Kind, items: Array<Doomed>, how: Removal): void;
  /**
   * All matches per probe, in the order of the probes: none, one, or several (then a person decides).
   */
  export function find(kind: Kind, probes: Array<Probe>): Array<Array<Found>>;
  export type RemoteRef = import('tradepost:connector/types@0.1.0-draft.1').RemoteRef;
  export type Field = import('tradepost:connector/types@0.1.0-draft.1').Field;
  export type Error = import('tradepost:connector/types@0.1.0-draft.1').Error;
  export type Part = import('tradepost:connector/head@0.1.0-draft.1').Part;
  export type Kind = import('tradepost:connector/records@0.1.0-draft.1').Kind;
  export type Records = import('tradepost:connector/records@0.1.0-draft.1').Records;
  export type Removal = import('tradepost:connector/records@0.1.0-draft.1').Removal;
  /**
   * What to look for: the marker and idempotency key of a write whose answer was lost, and the record's natural
   * keys (`sku`, `ean`, `number`, `email`, `category`, `tracking`, `event`). `of` is the order for shipments and order events.
   */
  export interface Probe {
    item: string,
    marker?: string | null,
    of?: RemoteRef | null,
    keys: Array<Field>,
  }
  /**
   * A match. For order events: the order, when the event has been applied to it.
   */
  export interface Found {
    remote: RemoteRef,
    /**
     * The marker that the object carries.
     */
    marker?: string | null,
    /**
     * False: its creation was cut off; `push` with `resume` finishes it.
     */
    whole: boolean,
    parts: Array<Part>,
  }
  /**
   * One record to be removed. `item` as in `head`.
   */
  export interface Doomed {
    item: string,
    remote: RemoteRef,
  }
}
