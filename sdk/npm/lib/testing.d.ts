import type { outcomes } from "./index.js";

export interface TestHost {
  /** The platform's settings; what is left out has the default of the connector that was defined last. */
  settings?: Record<string, unknown>;
  /** Headers by credential, as the host would place them: `{ api: { authorization: "Bearer t0ken" } }`. */
  secrets?: Record<string, Record<string, string>>;
  /** What `now()` says. */
  now?: string;
  preview?: boolean;
  /** The exchange folder: text by path. */
  files?: Record<string, string | Uint8Array>;
  /** Answers requests in place of the network. */
  fetch?: typeof fetch;
}
/** What the stand-in saw. */
export interface Seen {
  settled: { item: string; outcome: outcomes.Outcome }[];
  lines: { level: string; message: string; fields: { name: string; value: string }[] }[];
  requests: { method: string; url: string; body: unknown; credential: string | null }[];
  storage: Map<string, Uint8Array>;
  files: Map<string, Uint8Array>;
  /** May be set: what `now()` says. */
  now: string;
}
/**
 * Puts a stand-in in the host's place and gives what it saw. The connector's `fetch` goes through it too, and what is settled is
 * compared with the contract, as the host does.
 */
export declare function testHost(host?: TestHost): Seen;
