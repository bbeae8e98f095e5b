/// <reference path="./tradepost-connector-types.d.ts" />
declare module 'tradepost:connector/http@0.1.0-draft.1' {
  /**
   * `err`: `denied` (grant, address, size), `throttled`, `unavailable` (no connection: nothing was done),
   * `timeout` (sent, no complete answer), `auth` (log-in refused).
   */
  export function send(request: Request): Response;
  /**
   * At most 32, side by side within the platform's limits; answers in order.
   */
  export function sendAll(requests: Array<Request>): Array<Result<Response, Error>>;
  export type Field = import('tradepost:connector/types@0.1.0-draft.1').Field;
  export type BlobRef = import('tradepost:connector/types@0.1.0-draft.1').BlobRef;
  export type Error = import('tradepost:connector/types@0.1.0-draft.1').Error;
  /**
   * The bytes themselves, or the id of a blob that holds them.
   */
  export type PartContent = PartContentBytes | PartContentBlob;
  export interface PartContentBytes {
    tag: 'bytes',
    val: Uint8Array,
  }
  export interface PartContentBlob {
    tag: 'blob',
    val: string,
  }
  /**
   * One part of a multipart body; `name` is that of the form's field.
   */
  export interface Part {
    name: string,
    filename?: string | null,
    mediaType?: string | null,
    content: PartContent,
  }
  /**
   * What is sent: bytes, the id of a blob, a urlencoded form, or multipart.
   */
  export type Body = BodyBytes | BodyBlob | BodyForm | BodyMultipart;
  export interface BodyBytes {
    tag: 'bytes',
    val: Uint8Array,
  }
  export interface BodyBlob {
    tag: 'blob',
    val: string,
  }
  export interface BodyForm {
    tag: 'form',
    val: Array<Field>,
  }
  export interface BodyMultipart {
    tag: 'multipart',
    val: Array<Part>,
  }
  /**
   * Whether the request may be sent again on a lost answer, and passes in a preview.
   * # Variants
   * 
   * ## `"by-method"`
   * 
   * GET and HEAD are reads; everything else is an unsafe write that is sent once.
   * ## `"safe"`
   * 
   * Reads only, whatever the method (a GraphQL query by POST).
   * ## `"never"`
   * 
   * Sent once, counted as a write.
   */
  export type Repeat = 'by-method' | 'safe' | 'never';
  /**
   * One request; redirects are followed and judged like it.
   */
  export interface Request {
    method: string,
    /**
     * Absolute, http or https, no user info.
     */
    url: string,
    headers: Array<Field>,
    body?: Body | null,
    /**
     * Name of a declared credential.
     */
    credential?: string | null,
    repeat: Repeat,
    /**
     * Name of a declared rate; absent: the first declared one.
     */
    rate?: string | null,
    /**
     * At most the operator's limit; absent: the limit.
     */
    timeoutMs?: number | null,
    /**
     * Keep the answer's body outside the sandbox.
     */
    toBlob: boolean,
  }
  /**
   * The body of an answer, decompressed: bytes, or the blob that was asked for.
   */
  export type Answer = AnswerBytes | AnswerBlob;
  export interface AnswerBytes {
    tag: 'bytes',
    val: Uint8Array,
  }
  export interface AnswerBlob {
    tag: 'blob',
    val: BlobRef,
  }
  /**
   * Any status is an answer. Secrets that the host placed are masked in it. Header names are lower case.
   */
  export interface Response {
    status: number,
    headers: Array<Field>,
    body: Answer,
    url: string,
  }
  export type Result<T, E> = { tag: 'ok', val: T } | { tag: 'err', val: E };
}
