// The contract's errors as exceptions.
import { misfit, whole } from "./contract.js";

/** How a call or an item failed. What the host does next follows from `payload.tag` alone. */
export class ConnectorError extends Error {
  constructor(payload) {
    super(words(payload));
    this.name = "ConnectorError";
    this.payload = payload;
  }

  /** Credentials refused: pauses the platform. */
  static auth(message) {
    return new ConnectorError({ tag: "auth", val: message });
  }

  /** Ask again after so many seconds; nothing was done. */
  static throttled(seconds) {
    return new ConnectorError({ tag: "throttled", val: Math.min(Math.ceil(seconds), 0xffffffff) });
  }

  /** Platform away and nothing was done: tried again. */
  static unavailable(message) {
    return new ConnectorError({ tag: "unavailable", val: message });
  }

  /** Answer unknown, it may have been done: the host asks `find` before it repeats. */
  static timeout(message) {
    return new ConnectorError({ tag: "timeout", val: message });
  }

  /** Wrong data, nothing was done: waits for a person. `path` says where, e.g. `variants[0].sku`. */
  static rejected(path, message, code = null) {
    return new ConnectorError({ tag: "rejected", val: [{ path, code, message }] });
  }

  /** A value that the operator has to map first. */
  static mappingMissing(table, value, label = null) {
    return new ConnectorError({ tag: "mapping-missing", val: { table, value, label } });
  }

  /** Somebody changed it meanwhile, nothing was done. */
  static conflict(version = null) {
    return new ConnectorError({ tag: "conflict", val: version });
  }

  /** The record is not on the platform. */
  static notFound(message) {
    return new ConnectorError({ tag: "not-found", val: message });
  }

  /** The connector cannot do this. */
  static unsupported(message) {
    return new ConnectorError({ tag: "unsupported", val: message });
  }

  /** A defect of the connector. */
  static bug(message) {
    return new ConnectorError({ tag: "bug", val: message });
  }
}

/** The contract's value for anything that was thrown. An error that is none itself is a defect that names its field. */
export function contractError(thrown) {
  const error = told(thrown);
  const wrong = misfit("error", error);
  if (!wrong) return error;
  const repaired = repair(error);
  if (!misfit("error", repaired)) return repaired;
  const kept = typeof thrown?.message === "string" ? `; it says: ${thrown.message}` : "";
  return { tag: "bug", val: whole(`an error that the contract does not have: ${wrong}${kept}`.slice(0, 4000)) };
}

/** Halves of characters, as a cut through a text leaves them, are no reason to lose an error. */
function repair(value) {
  if (typeof value === "string") return whole(value);
  if (Array.isArray(value)) return value.map(repair);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, repair(one)]));
}

function told(thrown) {
  if (thrown instanceof ConnectorError) return thrown.payload;
  // What an import of the host threw, as it is.
  if (typeof thrown?.tag === "string") return { tag: thrown.tag, val: thrown.val };
  if (typeof thrown?.payload?.tag === "string") return thrown.payload;
  const stack = typeof thrown?.stack === "string" ? `\n${thrown.stack}` : "";
  return { tag: "bug", val: `${thrown?.message ?? thrown}${stack}`.slice(0, 4000) };
}

/** Whether the next item would fare the same: then the call ends with this error. */
export function endsTheCall(error) {
  return ["auth", "throttled", "unavailable", "denied"].includes(error.tag);
}

function words({ tag, val }) {
  if (Array.isArray(val)) return `${tag}: ${val.map((issue) => issue.message).join("; ")}`;
  return `${tag}: ${typeof val === "object" && val !== null ? JSON.stringify(val) : val}`;
}
