// What there is of the web's globals where a connector runs: no timers, no streams, no modules of Node.
export {};

type HeadersInit = Headers | Record<string, string> | Iterable<readonly [string, string]>;
type BodyInit = string | Uint8Array | ArrayBuffer | URLSearchParams;

declare global {
  class Headers implements Iterable<[string, string]> {
    constructor(init?: HeadersInit);
    append(name: string, value: string): void;
    set(name: string, value: string): void;
    get(name: string): string | null;
    has(name: string): boolean;
    delete(name: string): void;
    forEach(act: (value: string, name: string, all: Headers) => void): void;
    entries(): IterableIterator<[string, string]>;
    keys(): IterableIterator<string>;
    values(): IterableIterator<string>;
    [Symbol.iterator](): IterableIterator<[string, string]>;
  }

  class Response {
    constructor(body?: BodyInit | null, init?: { status?: number; statusText?: string; headers?: HeadersInit });
    readonly status: number;
    readonly statusText: string;
    readonly ok: boolean;
    readonly headers: Headers;
    readonly url: string;
    /** As the language reads it: numbers beyond 2^53 are rounded. `parseJson` and `Api` keep them. */
    json(): Promise<any>;
    text(): Promise<string>;
    bytes(): Promise<Uint8Array>;
    arrayBuffer(): Promise<ArrayBuffer>;
  }

  /**
   * Sends through the host. The headers `tradepost-credential`, `tradepost-rate` and `tradepost-repeat` say what it places and
   * minds, and go no further.
   */
  function fetch(
    url: string | URL, init?: { method?: string; headers?: HeadersInit; body?: BodyInit | null },
  ): Promise<Response>;

  class URLSearchParams implements Iterable<[string, string]> {
    constructor(init?: string | Record<string, string> | Iterable<readonly [string, string]> | URLSearchParams);
    readonly size: number;
    append(name: string, value: string): void;
    delete(name: string, value?: string): void;
    get(name: string): string | null;
    getAll(name: string): string[];
    has(name: string, value?: string): boolean;
    set(name: string, value: string): void;
    sort(): void;
    toString(): string;
    forEach(act: (value: string, name: string, all: URLSearchParams) => void): void;
    entries(): IterableIterator<[string, string]>;
    keys(): IterableIterator<string>;
    values(): IterableIterator<string>;
    [Symbol.iterator](): IterableIterator<[string, string]>;
  }

  class URL {
    constructor(url: string | URL, base?: string | URL);
    static canParse(url: string | URL, base?: string | URL): boolean;
    hash: string;
    host: string;
    hostname: string;
    href: string;
    readonly origin: string;
    password: string;
    pathname: string;
    port: string;
    protocol: string;
    search: string;
    readonly searchParams: URLSearchParams;
    username: string;
    toString(): string;
    toJSON(): string;
  }

  class TextEncoder {
    readonly encoding: string;
    encode(text?: string): Uint8Array<ArrayBuffer>;
  }

  class TextDecoder {
    constructor(encoding?: "utf-8" | "utf8", options?: { fatal?: boolean });
    readonly encoding: string;
    decode(bytes?: ArrayBufferView | ArrayBuffer): string;
  }

  function structuredClone<T>(value: T): T;
  function queueMicrotask(job: () => void): void;

  /** Lines for the host's log. */
  const console: Record<"debug" | "log" | "info" | "warn" | "error", (...words: unknown[]) => void>;
}
