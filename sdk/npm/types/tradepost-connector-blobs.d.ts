/// <reference path="./tradepost-connector-types.d.ts" />
declare module 'tradepost:connector/blobs@0.1.0-draft.1' {
  /**
   * Keeps bytes; `name` is a file name where there is one. Counts against what a call may write.
   */
  export function put(bytes: Uint8Array, mediaType: string, name: string | null | undefined): BlobRef;
  /**
   * At most 4 MiB at a time; an empty list is the end.
   */
  export function read(id: string, offset: number, length: number): Uint8Array;
  export type BlobRef = import('tradepost:connector/types@0.1.0-draft.1').BlobRef;
  export type Error = import('tradepost:connector/types@0.1.0-draft.1').Error;
}
