/// <reference path="./tradepost-connector-types.d.ts" />
declare module 'tradepost:connector/head@0.1.0-draft.1' {
  export type RemoteRef = import('tradepost:connector/types@0.1.0-draft.1').RemoteRef;
  export type Timestamp = import('tradepost:connector/types@0.1.0-draft.1').Timestamp;
  /**
   * What a part of a remote object is.
   * # Variants
   * 
   * ## `"variant"`
   * 
   * ## `"picture"`
   * 
   * ## `"line"`
   * 
   * ## `"address"`
   * 
   * ## `"parcel"`
   * 
   * ## `"option"`
   * 
   * ## `"other"`
   */
  export type PartKind = 'variant' | 'picture' | 'line' | 'address' | 'parcel' | 'option' | 'other';
  /**
   * A part that has an id of its own over there. `key` is ours: the SKU for a variant, the line id for a line,
   * the content name for a picture; the connector chooses it for `other` and for `option`.
   */
  export interface Part {
    what: PartKind,
    key: string,
    id: string,
  }
  /**
   * Why the record is handed over.
   * # Variants
   * 
   * ## `"read"`
   * 
   * Pulled: this is what the platform has.
   * ## `"create"`
   * 
   * Make a new object. Every facet is present.
   * ## `"create-done"`
   * 
   * Make a new object that is already finished business: no stock move, no mail, no invoice. Only where declared.
   * ## `"resume"`
   * 
   * A create was cut off: `remote` and `parts` say what exists. Finish it, make nothing twice.
   * ## `"update"`
   * 
   * Write the facets that are present; leave the others alone.
   */
  export type Op = 'read' | 'create' | 'create-done' | 'resume' | 'update';
  /**
   * Identity of one record. Facets (the optional fields and lists of the records) that are absent say nothing;
   * those present are complete.
   */
  export interface Head {
    op: Op,
    /**
     * Pushed: the host's idempotency key, the same for every attempt, at most 128 printable ASCII characters. Pulled: empty.
     */
    item: string,
    /**
     * Pushed: short text to be written on the remote object where it has a free field, so that the object can be
     * found again. Pulled: that text where the object carries one, whoever wrote it.
     */
    marker?: string | null,
    /**
     * Pulled: always there. Pushed: absent for `create` and `create-done`.
     */
    remote?: RemoteRef | null,
    /**
     * Parts with ids of their own. Pulled: those worth remembering. Pushed: those the host remembers.
     */
    parts: Array<Part>,
    /**
     * When the platform says it changed.
     */
    updated?: Timestamp | null,
  }
}
