// What a connector is written with.
import { ConnectorError, contractError, endsTheCall } from "./error.js";
import { host, taken } from "./host.js";

export { answered, Api } from "./api.js";
export { ConnectorError } from "./error.js";

/** Says that the object is a connector; it is given back as it is. */
export function defineConnector(connector) {
  return connector;
}

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
  host().report.log(level, message, Object.entries(fields).map(([name, value]) => ({ name, value: String(value) })));
};

/** Lines for the host's log; secrets are masked there. */
export const log = { debug: line("debug"), info: line("info"), warn: line("warn"), error: line("error") };

/** Says how far a long call is. */
export function progress(done, total, current = "") {
  host().report.progress(done, total ?? null, current);
}

/** Says what became of a pushed item. */
export function settle(item, outcome) {
  host().report.settle(item, outcome);
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
      outcome = await write(record);
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
  return { id: String(id), parent: parent === null ? null : String(parent), version };
}

/** The head of a record that was read. */
export function readHead(id, { parent = null, updated = null, marker = null, parts = [] } = {}) {
  return { op: "read", item: "", marker, remote: remote(id, { parent }), parts, updated };
}

/** One page; what is left out is empty. */
export function page({ records = [], deleted = [], unreadable = [], present = [], next = null, watermark = null, receipt = null, total = null } = {}) {
  return { records, deleted, unreadable, present, next, watermark, receipt, total };
}

/**
 * Rows as records: one that cannot be converted is handed over raw, for a person to look at, and stops no other. Errors that
 * concern more than this row are thrown: all but `rejected` and defects.
 */
export function readRows(rows, convert, id = (row) => row?.id) {
  if (!Array.isArray(rows)) throw ConnectorError.unavailable("the platform's answer has no list of records");
  const records = [];
  const unreadable = [];
  for (const row of rows) {
    try {
      records.push(convert(row));
    } catch (error) {
      const { tag, val } = error?.payload ?? { tag: "bug", val: error?.message ?? String(error) };
      if (tag !== "rejected" && tag !== "bug") throw error;
      const own = id(row) ?? null;
      const why = tag === "rejected" ? val.map((issue) => issue.message).join(" ") : val;
      unreadable.push({ id: own === null ? null : String(own), raw: JSON.stringify(row) ?? "", why });
    }
  }
  return { records, unreadable };
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

/** Checks a decimal number of the platform and gives it as the contract has it. Numbers are refused: they are floats. */
export function decimal(value) {
  const text = typeof value === "string" ? value.trim() : Number.isSafeInteger(value) ? String(value) : "";
  if (!/^-?[0-9]{1,18}(\.[0-9]{1,9})?$/.test(text)) throw new TypeError(`\`${value}\` is not a decimal number as text`);
  return text;
}

/** Whether two decimals are the same number: `1.50` is `1.5`. */
export function sameDecimal(a, b) {
  const plain = (text) => {
    const [whole, fraction = ""] = decimal(text).replace(/^-/, "").split(".");
    const digits = `${whole.replace(/^0+(?=\d)/, "")}.${fraction.replace(/0+$/, "")}`;
    return digits === "0." ? digits : `${text.trim().startsWith("-") ? "-" : ""}${digits}`;
  };
  return plain(a) === plain(b);
}
