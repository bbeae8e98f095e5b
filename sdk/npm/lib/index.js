// What a connector is written with.
import { fitting, whole } from "./contract.js";
import { ConnectorError, contractError, endsTheCall } from "./error.js";
import { host, taken } from "./host.js";

export { answered, Api } from "./api.js";
export { defineConnector } from "./define.js";
export { ConnectorError } from "./error.js";
export { parseJson } from "./json.js";
export { page, readRows } from "./rows.js";
export { asText, currencyDigits, decimal, fromMinor, sameDecimal, toMinor, utc } from "./values.js";

/** The platform's settings, valid by the declared schema, defaults filled in. */
export function settings() {
  return JSON.parse(host().platform.settings());
}

/** The host's clock. */
export function now() {
  return host().platform.now();
}

/** In a preview requests that are not reads are refused. */
export function preview() {
  return host().platform.preview();
}

const line = (level) => (message, fields = {}) => {
  const named = Object.entries(fields).map(([name, value]) => ({ name: whole(name), value: whole(String(value)) }));
  host().report.log(level, whole(String(message)), named);
};

/** Lines for the host's log; secrets are masked there. */
export const log = { debug: line("debug"), info: line("info"), warn: line("warn"), error: line("error") };

/** Says how far a long call is. */
export function progress(done, total, current = "") {
  host().report.progress(done, total ?? null, whole(String(current)));
}

/** Says what became of a pushed item. */
export function settle(item, outcome) {
  host().report.settle(fitting("string", item, "item"), fitting("outcome", outcome, "outcome"));
}

/** Texts by key, private to the platform. They commit with the call's result. */
export const storage = {
  get(key) {
    const bytes = host().storage.get(key);
    return bytes === null || bytes === undefined ? null : new TextDecoder().decode(Uint8Array.from(bytes));
  },
  set(key, text) {
    host().storage.set(key, new TextEncoder().encode(text));
  },
  remove(key) {
    host().storage.remove(key);
  },
  keys(prefix = "", after = null, limit = 1000) {
    return host().storage.keys(prefix, after, limit);
  },
};

/** The exchange folder, where the connector asks for one. */
export const files = {
  entries: (folder) => host().files.entries(folder),
  read(path) {
    const chunks = [];
    let offset = 0;
    for (;;) {
      const chunk = Uint8Array.from(host().files.read(path, offset, 4 << 20));
      if (chunk.length === 0) break;
      chunks.push(chunk);
      offset += chunk.length;
    }
    const bytes = new Uint8Array(offset);
    let at = 0;
    for (const chunk of chunks) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    return bytes;
  },
  exists(path) {
    try {
      host().files.read(path, 0, 1);
      return true;
    } catch (error) {
      if (error?.payload?.tag === "not-found") return false;
      throw error;
    }
  },
  write: (path, bytes) => host().files.write(path, typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes),
  rename: (path, target) => host().files.rename(path, target),
};

/**
 * Writes item by item and settles each by what its function gives or throws. Ends where the next would fare the same.
 * A defect, or a platform that went away, after the platform has taken a write of the item says nothing of that write: the
 * item is settled as `timeout`, so that the host asks `find` before it repeats.
 */
export async function each(records, write) {
  for (const record of records) {
    const before = taken.writes;
    let outcome;
    try {
      outcome = fitting("outcome", await write(record), "outcome");
    } catch (thrown) {
      const error = contractError(thrown);
      const unsure = taken.writes > before && (error.tag === "bug" || error.tag === "unavailable");
      settle(record.head.item, { tag: "failed", val: unsure ? { tag: "timeout", val: `after a write: ${error.val}` } : error });
      if (endsTheCall(error)) throw thrown;
      continue;
    }
    settle(record.head.item, outcome);
  }
}

/** The object exists and all is written. */
export function done(remote, { parts = [], total = null, warnings = [] } = {}) {
  return { tag: "done", val: { remote, parts, total, warnings } };
}

/** The object exists, steps are missing. */
export function partial(remote, { parts = [], total = null, warnings = [] } = {}) {
  return { tag: "partial", val: { remote, parts, total, warnings } };
}

/** Nothing had to be written. */
export function unchanged(remote) {
  return { tag: "unchanged", val: remote };
}

/** A reference to an object on the platform. */
export function remote(id, { parent = null, version = null } = {}) {
  if (id === undefined || id === null || id === "") throw ConnectorError.bug("the platform's answer names no id");
  for (const number of [id, parent]) {
    if (typeof number === "number" && !Number.isSafeInteger(number)) {
      throw ConnectorError.bug(`the id ${number} is no whole number, or was rounded when it was read: read answers with \`Api\` or \`parseJson\``);
    }
  }
  return { id: String(id), parent: parent === null ? null : String(parent), version };
}

/** The head of a record that was read. */
export function readHead(id, { parent = null, updated = null, marker = null, parts = [] } = {}) {
  return { op: "read", item: "", marker, remote: remote(id, { parent }), parts, updated };
}

/** Texts of one language of a product or category. */
export function texts(language, name, more = {}) {
  return { language, name, shortHtml: null, longHtml: null, slug: null, metaTitle: null, metaDescription: null, keywords: [], ...more };
}

/** A text in English, and in other languages where there are some: `text("Shop", { de: "Laden" })`. */
export function text(english, others = {}) {
  return [{ language: "en", value: english }, ...Object.entries(others).map(([language, value]) => ({ language, value }))];
}

/** A JSON Schema of settings: what has no default is needed, unless it says `optional: true`. */
export function settingsSchema(properties) {
  const required = Object.entries(properties).filter(([, one]) => one.default === undefined && !one.optional).map(([name]) => name);
  const shown = Object.fromEntries(Object.entries(properties).map(([name, { optional, ...rest }]) => [name, rest]));
  return JSON.stringify({
    $schema: "https://json-schema.org/draft/2020-12/schema",
    type: "object",
    additionalProperties: false,
    required,
    properties: shown,
  });
}
