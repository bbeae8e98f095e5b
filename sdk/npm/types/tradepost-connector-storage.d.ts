/// <reference path="./tradepost-connector-types.d.ts" />
declare module 'tradepost:connector/storage@0.1.0-draft.1' {
  /**
   * The value of a key, where there is one.
   */
  export function get(key: string): Uint8Array | null | undefined;
  /**
   * Puts a value in place of what was there.
   */
  export function set(key: string, value: Uint8Array): void;
  /**
   * Forgets a key; one that is not there is no error.
   */
  export function remove(key: string): void;
  /**
   * Keys with the prefix after `after`, sorted, at most `limit` (1,000).
   */
  export function keys(prefix: string, after: string | null | undefined, limit: number): Array<string>;
  /**
   * Durable before it returns, whatever becomes of the call.
   */
  export function setNow(key: string, value: Uint8Array): void;
  export type Error = import('tradepost:connector/types@0.1.0-draft.1').Error;
}
