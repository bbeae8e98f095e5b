// What the engine of connectors lacks of the web platform's globals. `URL` and `URLSearchParams` come from core-js.
import "core-js/web/url.js";
import "core-js/web/url-search-params.js";
import "core-js/web/structured-clone.js";
import { CallPromise } from "./promise.js";
import { fetch, Headers, Response } from "./fetch.js";
import { TextDecoder, TextEncoder } from "./text.js";

const missing = { TextDecoder, TextEncoder, Headers, Response, fetch };
for (const [name, value] of Object.entries(missing)) {
  globalThis[name] ??= value;
}
// The engine's own promises would never go on: nothing runs their jobs.
globalThis.Promise = CallPromise;
globalThis.queueMicrotask = (job) => void CallPromise.resolve().then(job);
