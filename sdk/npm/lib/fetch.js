// `fetch` for components: the host sends, by `http.send` of the contract. The headers tradepost-credential, tradepost-rate
// and tradepost-repeat are for it and go no further; others that begin with tradepost- it refuses.
import http from "tradepost:connector/http@0.1.0-draft.1";
import { FOR_THE_HOST, isRead, taken } from "./host.js";

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
  const headers = new Headers(init.headers ?? []);
  const body = toBytes(init.body, headers);
  const [credential, rate, repeat] = FOR_THE_HOST.map((name) => {
    const value = headers.get(name);
    headers.delete(name);
    return value;
  });
  const request = {
    method: (init.method ?? "GET").toUpperCase(),
    url: String(input),
    credential,
    rate,
    repeat: repeat ?? "by-method",
    headers: [...headers].map(([name, value]) => ({ name, value })),
    body: body === null ? null : { tag: "bytes", val: body },
    timeoutMs: null,
    toBlob: false,
  };
  let answer;
  try {
    answer = http.send(request);
  } catch (thrown) {
    throw failure(thrown);
  }
  if (!isRead(request.method, request.repeat) && answer.status >= 200 && answer.status <= 299) taken.writes += 1;
  const fields = answer.headers.map(({ name, value }) => [name, value]);
  return new Response(Uint8Array.from(answer.body.val), { status: answer.status, headers: fields, url: answer.url });
}

function toBytes(body, headers) {
  if (body === undefined || body === null) return null;
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

/** As `fetch` fails everywhere: a TypeError. Its `payload` is the contract's error, which says what the host does next. */
function failure(thrown) {
  const payload = typeof thrown?.tag === "string" ? thrown : thrown?.payload;
  if (typeof payload?.tag !== "string") return thrown;
  const error = new TypeError(`the request got no answer: ${payload.tag}: ${payload.val}`);
  error.payload = { tag: payload.tag, val: payload.val };
  return error;
}
