// What the build puts around a connector: the contract's functions, run to their end, with errors as the contract has them.
import { CallPromise, drain } from "./promise.js";
import "./globals.js";
import blobs from "tradepost:connector/blobs@0.1.0-draft.1";
import files from "tradepost:connector/files@0.1.0-draft.1";
import platform from "tradepost:connector/platform@0.1.0-draft.1";
import report from "tradepost:connector/report@0.1.0-draft.1";
import storage from "tradepost:connector/storage@0.1.0-draft.1";
import { defineConnector } from "./define.js";
import { setHost } from "./host.js";
import { contractError } from "./error.js";

setHost({ platform, storage, blobs, files, report, fetch: (url, init) => globalThis.fetch(url, init) });

const log = (level) => (...words) => report.log(level, words.map(String).join(" "), []);
globalThis.console ??= { debug: log("debug"), log: log("info"), info: log("info"), warn: log("warn"), error: log("error") };

function run(act) {
  let promise;
  try {
    promise = CallPromise.resolve(act());
    drain();
  } catch (error) {
    throw contractError(error);
  }
  const [state, value] = CallPromise.inspect(promise);
  if (state === "fulfilled") return value;
  if (state === "rejected") throw contractError(value);
  throw { tag: "bug", val: "the call waits for something that never comes: only requests can be waited for, not timers" };
}

function unsupported(name) {
  return () => {
    throw { tag: "unsupported", val: `the connector has no \`${name}\`` };
  };
}

/** The three interfaces of the contract over a connector. */
export function exportsOf(connector) {
  const made = defineConnector(connector);
  const call = (name) => (made[name] ? (...args) => run(() => made[name](...args)) : unsupported(name));
  return {
    connector: {
      describe: () => made.describe(),
      check: call("check"),
    },
    source: {
      pull: call("pull"),
      acknowledge: made.acknowledge ? call("acknowledge") : () => {},
    },
    target: { push: call("push"), remove: call("remove"), find: call("find") },
  };
}
