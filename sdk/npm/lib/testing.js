// A host for tests that run in Node: no component, no sandbox, the connector's own code against a simulator.
import { ConnectorError } from "./error.js";
import { fitting } from "./contract.js";
import { defaults, setHost } from "./host.js";

/** Puts a stand-in in the host's place and gives what it saw. */
export function testHost({ settings = {}, secrets = {}, now = "2026-01-01T12:00:00Z", preview = false, files = {}, fetch: own } = {}) {
  const seen = { settled: [], lines: [], requests: [], storage: new Map(), files: new Map(), now };
  for (const [path, text] of Object.entries(files)) seen.files.set(path, bytes(text));
  setHost({
    platform: { settings: () => JSON.stringify({ ...defaults(), ...settings }), preview: () => preview, now: () => seen.now },
    report: {
      log: (level, message, fields) => seen.lines.push({ level, message, fields }),
      progress: () => {},
      settle: (item, outcome) => void seen.settled.push({ item, outcome: fitting("outcome", outcome, "outcome") }),
    },
    storage: {
      get: (key) => seen.storage.get(key) ?? null,
      set: (key, value) => void seen.storage.set(key, value),
      remove: (key) => void seen.storage.delete(key),
      keys: (prefix, after, limit) => [...seen.storage.keys()].filter((key) => key.startsWith(prefix) && (after === null || key > after)).sort().slice(0, limit),
    },
    files: {
      entries: (folder) => [...seen.files].filter(([path]) => path.startsWith(`${folder}/`)).sort()
        .map(([path, content]) => ({ name: path.slice(folder.length + 1), folder: false, size: content.length, modified: seen.now })),
      read(path, offset, length) {
        const content = seen.files.get(path);
        if (!content) throw ConnectorError.notFound(path);
        return content.slice(offset, offset + length);
      },
      write: (path, content) => void seen.files.set(path, bytes(content)),
      rename(path, target) {
        const content = seen.files.get(path);
        if (content) seen.files.set(target, content);
        seen.files.delete(path);
      },
    },
    async fetch(url, init = {}) {
      const headers = new Headers(init.headers);
      const credential = headers.get("tradepost-credential");
      for (const name of ["tradepost-credential", "tradepost-rate", "tradepost-repeat"]) headers.delete(name);
      if (credential) {
        const place = secrets[credential];
        if (!place) throw new TypeError(`the test gives no secret for the credential \`${credential}\``);
        for (const [name, value] of Object.entries(place)) headers.set(name, value);
      }
      seen.requests.push({ method: init.method ?? "GET", url, body: init.body ?? null, credential });
      return (own ?? globalThis.fetch)(url, { ...init, headers });
    },
  });
  return seen;
}

function bytes(content) {
  return typeof content === "string" ? new TextEncoder().encode(content) : content;
}
