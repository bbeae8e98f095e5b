// `fetch` over wasi:http, for components. The host sends; the headers tradepost-credential, tradepost-rate and
// tradepost-repeat are for it and go no further.
import outgoingHandler from "wasi:http/outgoing-handler@0.2.12";
import wasi from "wasi:http/types@0.2.12";

const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];
/** Most bytes that a stream takes at once. */
const CHUNK = 4096;
const READ = 1 << 20;

export class Headers {
  #all = new Map();

  constructor(init = []) {
    const pairs = init instanceof Headers || Array.isArray(init) ? init : Object.entries(init);
    for (const [name, value] of pairs) this.append(name, value);
  }

  append(name, value) {
    const key = String(name).toLowerCase();
    const before = this.#all.get(key);
    this.#all.set(key, before === undefined ? String(value) : `${before}, ${value}`);
  }

  set(name, value) {
    this.#all.set(String(name).toLowerCase(), String(value));
  }

  get(name) {
    return this.#all.get(String(name).toLowerCase()) ?? null;
  }

  has(name) {
    return this.#all.has(String(name).toLowerCase());
  }

  delete(name) {
    this.#all.delete(String(name).toLowerCase());
  }

  forEach(act) {
    for (const [name, value] of this) act(value, name, this);
  }

  *[Symbol.iterator]() {
    yield* [...this.#all].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  entries() {
    return this[Symbol.iterator]();
  }

  *keys() {
    for (const [name] of this) yield name;
  }

  *values() {
    for (const [, value] of this) yield value;
  }
}

export class Response {
  #body;

  constructor(body = null, { status = 200, statusText = "", headers = [], url = "" } = {}) {
    this.#body = typeof body === "string" ? new TextEncoder().encode(body) : (body ?? new Uint8Array());
    this.status = status;
    this.statusText = statusText;
    this.headers = headers instanceof Headers ? headers : new Headers(headers);
    this.url = url;
  }

  get ok() {
    return this.status >= 200 && this.status <= 299;
  }

  async bytes() {
    return this.#body;
  }

  async arrayBuffer() {
    return this.#body.slice().buffer;
  }

  async text() {
    return new TextDecoder().decode(this.#body);
  }

  async json() {
    return JSON.parse(await this.text());
  }
}

export async function fetch(input, init = {}) {
  const url = String(input);
  const parts = /^(https?):\/\/([^/?#]+)([^#]*)/i.exec(url);
  if (!parts) throw new TypeError(`fetch needs an absolute http or https address, not ${url}`);
  const headers = new Headers(init.headers ?? []);
  const body = toBytes(init.body, headers);
  const fields = wasi.Fields.fromList([...headers].map(([name, value]) => [name, new TextEncoder().encode(value)]));
  const request = new wasi.OutgoingRequest(fields);
  const method = (init.method ?? "GET").toUpperCase();
  request.setMethod(METHODS.includes(method) ? { tag: method.toLowerCase() } : { tag: "other", val: method });
  request.setScheme({ tag: parts[1].toUpperCase() });
  request.setAuthority(parts[2]);
  request.setPathWithQuery(parts[3].startsWith("/") ? parts[3] : `/${parts[3]}`);
  const out = request.body();
  let future;
  try {
    future = outgoingHandler.handle(request, null);
    send(out, body);
  } catch (error) {
    throw failure(error);
  }
  const response = wait(future);
  try {
    return read(response, url);
  } finally {
    response[Symbol.dispose]?.();
  }
}

function toBytes(body, headers) {
  if (body === undefined || body === null) return new Uint8Array();
  if (typeof body === "string") {
    if (!headers.has("content-type")) headers.set("content-type", "text/plain;charset=UTF-8");
    return new TextEncoder().encode(body);
  }
  if (body instanceof URLSearchParams) {
    if (!headers.has("content-type")) headers.set("content-type", "application/x-www-form-urlencoded;charset=UTF-8");
    return new TextEncoder().encode(body.toString());
  }
  if (body instanceof ArrayBuffer) return new Uint8Array(body);
  if (ArrayBuffer.isView(body)) return new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
  throw new TypeError("a body is a string, bytes or URLSearchParams");
}

function send(out, body) {
  const stream = out.write();
  for (let at = 0; at < body.length; at += CHUNK) {
    stream.blockingWriteAndFlush(body.subarray(at, at + CHUNK));
  }
  stream[Symbol.dispose]?.();
  wasi.OutgoingBody.finish(out, null);
}

function wait(future) {
  const pollable = future.subscribe();
  pollable.block();
  pollable[Symbol.dispose]?.();
  const result = future.get();
  future[Symbol.dispose]?.();
  if (result?.tag !== "ok") throw failure(result?.val);
  if (result.val.tag !== "ok") throw failure(result.val.val);
  return result.val.val;
}

function read(response, url) {
  const fields = response.headers();
  const decoder = new TextDecoder();
  const headers = new Headers(fields.entries().map(([name, value]) => [name, decoder.decode(Uint8Array.from(value))]));
  fields[Symbol.dispose]?.();
  const body = response.consume();
  const stream = body.stream();
  const chunks = [];
  let length = 0;
  for (;;) {
    let chunk;
    try {
      chunk = stream.blockingRead(READ);
    } catch (error) {
      if ((error?.tag ?? error?.payload?.tag) === "closed") break;
      throw failure({ tag: "HTTP-response-incomplete" });
    }
    chunks.push(chunk);
    length += chunk.length;
  }
  stream[Symbol.dispose]?.();
  body[Symbol.dispose]?.();
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return new Response(bytes, { status: response.status(), headers, url });
}

/** As `fetch` fails everywhere: a TypeError. Its `code` is the host's reason. */
function failure(code) {
  const tag = code?.tag ?? code?.payload?.tag ?? "internal-error";
  const error = new TypeError(`the request got no answer: ${tag}`);
  error.code = tag;
  return error;
}
