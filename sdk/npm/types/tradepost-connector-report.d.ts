/// <reference path="./tradepost-connector-outcomes.d.ts" />
/// <reference path="./tradepost-connector-types.d.ts" />
declare module 'tradepost:connector/report@0.1.0-draft.1' {
  /**
   * One line; control characters are escaped, secrets masked, at most 8 KiB.
   */
  export function log(level: Level, message: string, fields: Array<Field>): void;
  /**
   * How far a long call is; `current` names what it is at.
   */
  export function progress(done: number, total: number | null | undefined, current: string): void;
  /**
   * What became of the pushed item with this `head.item`. `partial` as soon as an object exists, so that a cut in the
   * steps that follow ends in a resume and never in a second create: it is durable before it returns. So is a last word,
   * save where `find` can tell what became of the item: there it is durable within 50 ms and before the call has ended.
   */
  export function settle(item: string, outcome: Outcome): void;
  export type Field = import('tradepost:connector/types@0.1.0-draft.1').Field;
  export type Outcome = import('tradepost:connector/outcomes@0.1.0-draft.1').Outcome;
  /**
   * How grave a line is.
   * # Variants
   * 
   * ## `"debug"`
   * 
   * ## `"info"`
   * 
   * ## `"warn"`
   * 
   * ## `"error"`
   */
  export type Level = 'debug' | 'info' | 'warn' | 'error';
}
