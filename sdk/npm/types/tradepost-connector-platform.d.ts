/// <reference path="./tradepost-connector-types.d.ts" />
declare module 'tradepost:connector/platform@0.1.0-draft.1' {
  /**
   * Settings, valid by the declared schema, defaults filled in; no secrets.
   */
  export function settings(): Json;
  /**
   * Preview: requests that are not reads are refused.
   */
  export function preview(): boolean;
  /**
   * The host's clock.
   */
  export function now(): Timestamp;
  export type Json = import('tradepost:connector/types@0.1.0-draft.1').Json;
  export type Timestamp = import('tradepost:connector/types@0.1.0-draft.1').Timestamp;
}
