/// <reference path="./tradepost-connector-head.d.ts" />
/// <reference path="./tradepost-connector-types.d.ts" />
declare module 'tradepost:connector/outcomes@0.1.0-draft.1' {
  export type Decimal = import('tradepost:connector/types@0.1.0-draft.1').Decimal;
  export type RemoteRef = import('tradepost:connector/types@0.1.0-draft.1').RemoteRef;
  export type Issue = import('tradepost:connector/types@0.1.0-draft.1').Issue;
  export type Error = import('tradepost:connector/types@0.1.0-draft.1').Error;
  export type Part = import('tradepost:connector/head@0.1.0-draft.1').Part;
  /**
   * The object over there.
   */
  export interface Written {
    remote: RemoteRef,
    /**
     * Ids of its parts as far as they are known now.
     */
    parts: Array<Part>,
    /**
     * Orders: the total that the platform computed, tax included; the host compares it with what was sent.
     */
    total?: Decimal | null,
    warnings: Array<Issue>,
  }
  /**
   * What became of one item.
   */
  export type Outcome = OutcomePartial | OutcomeDone | OutcomeUnchanged | OutcomeLater | OutcomeFailed;
  /**
   * The object exists under this reference, but steps are missing. May be settled many times; not the last word.
   */
  export interface OutcomePartial {
    tag: 'partial',
    val: Written,
  }
  export interface OutcomeDone {
    tag: 'done',
    val: Written,
  }
  /**
   * Nothing had to be written.
   */
  export interface OutcomeUnchanged {
    tag: 'unchanged',
    val: RemoteRef,
  }
  /**
   * Not tried in this call, nothing was done; try again after so many seconds.
   */
  export interface OutcomeLater {
    tag: 'later',
    val: number,
  }
  export interface OutcomeFailed {
    tag: 'failed',
    val: Error,
  }
}
