// Requests to a platform's JSON interface by `fetch`, with its answers judged.
import { ConnectorError } from "./error.js";
import { host, isRead } from "./host.js";
import { parseJson } from "./json.js";
import { whole } from "./contract.js";

/** A platform's interface under one address: `fetch` with its headers, its credential and `answered`. */
export class Api {
  #base;
  #defaults;

  /** `base` without a slash at its end. */
  constructor(base, { credential, rate, headers = {}, explain } = {}) {
    this.#base = base.replace(/\/+$/, "");
    this.#defaults = { credential, rate, headers, explain };
  }

  get(path, query) {
    return this.request("GET", path, { query });
  }

  post(path, json, options) {
    return this.request("POST", path, { ...options, json });
  }

  put(path, json, options) {
    return this.request("PUT", path, { ...options, json });
  }

  patch(path, json, options) {
    return this.request("PATCH", path, { ...options, json });
  }

  delete(path, options) {
    return this.request("DELETE", path, options);
  }

  /** Sends and reads the answer as JSON; `null` for an empty one with status 202 or 204, or to DELETE. Other answers that say nothing are none: use `send` for a platform that gives them. */
  async request(method, path, options = {}) {
    const { repeat, explain } = { ...this.#defaults, ...options };
    return answered(await this.send(method, path, options), { method, repeat, explain });
  }

  /** Sends and gives the answer where its status is 2xx; else throws what the status means. */
  async send(method, path, options = {}) {
    const { query, json, body, repeat } = options;
    const headers = { accept: "application/json", ...this.#defaults.headers, ...options.headers };
    const { credential, rate, explain } = { ...this.#defaults, ...options };
    if (credential) headers["tradepost-credential"] = credential;
    if (rate) headers["tradepost-rate"] = rate;
    if (repeat) headers["tradepost-repeat"] = repeat;
    if (json !== undefined) headers["content-type"] ??= "application/json";
    const address = `${this.#base}${path}${queryText(query)}`;
    const safe = isRead(method, repeat);
    let response;
    try {
      response = await host().fetch(address, { method, headers, body: json === undefined ? body : JSON.stringify(json) });
    } catch (error) {
      throw unanswered(error, safe);
    }
    if (response.ok) return response;
    throw await refusal(response, safe, explain);
  }
}

/** What an answer of `fetch` says, as JSON; throws what its status means, and what an answer means that says nothing. */
export async function answered(response, { method = "GET", repeat, explain } = {}) {
  const safe = isRead(method, repeat);
  if (!response.ok) throw await refusal(response, safe, explain);
  const text = await response.text();
  const nothing = (words) => (safe ? ConnectorError.unavailable(words) : ConnectorError.timeout(words));
  if (text === "") {
    if (method === "DELETE" || response.status === 202 || response.status === 204) return null;
    throw nothing(`HTTP ${response.status} without an answer`);
  }
  try {
    return parseJson(text);
  } catch (error) {
    throw nothing(`unreadable answer (${error.message}): ${quoted(text)}`);
  }
}

function queryText(query) {
  const pairs = Object.entries(query ?? {}).filter(([, value]) => value !== undefined && value !== null);
  const text = pairs.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join("&");
  return text ? `?${text}` : "";
}

/** The host says by the contract's error what was done; elsewhere, as in a test, nothing is known of a write. */
function unanswered(error, safe) {
  if (typeof error?.payload?.tag === "string") return new ConnectorError(error.payload);
  const words = error?.message ?? String(error);
  return safe ? ConnectorError.unavailable(words) : ConnectorError.timeout(words);
}

/** What a status means for a REST platform; the platform's words are kept, as `explain` reads them. */
async function refusal(response, safe, explain) {
  const { status } = response;
  const text = await response.text();
  const told = explain?.(status, parsed(text));
  if (told instanceof Error) return told;
  const words = `HTTP ${status}: ${told || excerpt(text)}`;
  if (status === 401 || status === 403) return ConnectorError.auth(words);
  if (status === 404 || status === 410) return ConnectorError.notFound(words);
  if (status === 409 || status === 412) {
    // The error has room for the current version alone, and it is not known.
    host().report.log("warn", whole(words), []);
    return ConnectorError.conflict();
  }
  if (status === 429) {
    const seconds = Number.parseInt(response.headers.get("retry-after") ?? "", 10);
    return ConnectorError.throttled(seconds >= 0 ? seconds : 60);
  }
  if (status >= 400 && status < 500 && status !== 408) return ConnectorError.rejected("", words, String(status));
  return safe ? ConnectorError.unavailable(words) : ConnectorError.timeout(words);
}

// An answer that cannot be read, for words that stay in logs: a long one in JSON is data, which may hold whatever the platform keeps to itself.
function quoted(text) {
  return text.length > 100 && /^\s*[{[]/.test(text) ? `${text.length} characters of JSON` : excerpt(text);
}

/** A body as JSON, or as the text that it is. */
function parsed(text) {
  try {
    return parseJson(text);
  } catch {
    return text;
  }
}

function excerpt(text) {
  return whole(text.slice(0, 500));
}
