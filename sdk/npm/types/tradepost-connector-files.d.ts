/// <reference path="./tradepost-connector-types.d.ts" />
declare module 'tradepost:connector/files@0.1.0-draft.1' {
  /**
   * Sorted by name.
   */
  export function entries(folder: string): Array<Entry>;
  /**
   * At most 4 MiB at a time; an empty list is the end.
   */
  export function read(path: string, offset: number, length: number): Uint8Array;
  /**
   * Keeps a whole file as a blob, past the sandbox.
   */
  export function toBlob(path: string, mediaType: string): BlobRef;
  /**
   * Temporary name, fsync, rename. Replaces. Refused in `pull` outside `failed`, and in a preview. A write in
   * `push` counts as an unsafe request.
   */
  export function write(path: string, bytes: Uint8Array): void;
  /**
   * Writes the bytes of a blob, as `write` does.
   */
  export function writeBlob(path: string, id: string): void;
  /**
   * Only in `acknowledge`: what was read moves to `done` or `failed` once it is durable. Moving what is already
   * there under the new name and gone under the old one succeeds.
   */
  export function rename(path: string, target: string): void;
  export type Timestamp = import('tradepost:connector/types@0.1.0-draft.1').Timestamp;
  export type BlobRef = import('tradepost:connector/types@0.1.0-draft.1').BlobRef;
  export type Error = import('tradepost:connector/types@0.1.0-draft.1').Error;
  /**
   * A file or a folder; `size` in bytes.
   */
  export interface Entry {
    name: string,
    folder: boolean,
    size: number,
    modified: Timestamp,
  }
}
