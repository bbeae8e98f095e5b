// A connector whose results are compared with the contract before they leave it.
import { fitting } from "./contract.js";
import { setDefaults } from "./host.js";
import { fittingPage } from "./rows.js";

const defined = new WeakSet();

const RESULTS = {
  describe: (value) => fitting("description", value, "describe"),
  check: (value) => fitting("account", value, "check"),
  pull: fittingPage,
  find: (value) => fitting("found[][]", value, "find"),
};

/** A connector: what its functions give is compared with the contract, and an error says where it differs. */
export function defineConnector(connector) {
  if (defined.has(connector)) return connector;
  const made = Object.create(connector);
  for (const name of ["describe", "check", "pull", "acknowledge", "push", "remove", "find"]) {
    const own = connector[name];
    if (typeof own !== "function") continue;
    const compared = RESULTS[name] ?? ((value) => value);
    made[name] = (...args) => {
      const given = own.apply(connector, args);
      return typeof given?.then === "function" ? given.then(compared) : compared(given);
    };
  }
  defined.add(made);
  setDefaults(() => defaults(made.describe().settingsSchema));
  return made;
}

/** What a form of settings fills in. */
function defaults(schema) {
  const all = Object.entries(JSON.parse(schema).properties ?? {}).filter(([, one]) => one.default !== undefined);
  return Object.fromEntries(all.map(([name, one]) => [name, one.default]));
}
