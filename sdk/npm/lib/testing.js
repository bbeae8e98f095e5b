// A host for tests that run in Node: no component, no sandbox, the connector's own code against a simulator.
import { AsyncLocalStorage } from "node:async_hooks";
import { ConnectorError } from "./error.js";
import { fitting } from "./contract.js";
import { defaults, FOR_THE_HOST, isRead, setHost, taken } from "./host.js";

/** The network, whatever `fetch` is while a test runs. */
const network = globalThis.fetch;
/** What a test answers with may itself use `fetch`. */
const answering = new AsyncLocalStorage();

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
    fetch: lent,
  });
  // A connector's own `fetch` goes where that of `Api` does.
  globalThis.fetch = lent;
  return seen;

  async function lent(url, init = {}) {
    if (answering.getStore()) return network(url, init);
    const headers = new Headers(init.headers);
    const [credential, , repeat] = FOR_THE_HOST.map((name) => {
      const value = headers.get(name);
      headers.delete(name);
      return value;
    });
    const refused = [...headers.keys()].find((name) => name.startsWith("tradepost-"));
    if (refused) throw denied(`the header \`${refused}\` is not sent: for the host there are ${FOR_THE_HOST.join(", ")}`);
    if (credential) {
      const place = secrets[credential];
      if (!place) throw new TypeError(`the test gives no secret for the credential \`${credential}\``);
      for (const [name, value] of Object.entries(place)) headers.set(name, value);
    }
    const method = init.method ?? "GET";
    seen.requests.push({ method, url: String(url), body: init.body ?? null, credential });
    const response = await answering.run(true, () => (own ?? network)(url, { ...init, headers }));
    if (response.ok && !isRead(method, repeat)) taken.writes += 1;
    return response;
  }
}

/** As the host refuses: nothing was sent. */
function denied(words) {
  const error = new TypeError(`the request got no answer: denied: ${words}`);
  error.payload = { tag: "denied", val: words };
  return error;
}

function bytes(content) {
  return typeof content === "string" ? new TextEncoder().encode(content) : content;
}
