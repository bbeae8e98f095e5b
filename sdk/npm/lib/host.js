// What the host lends. In a component it is the real one, in a test a stand-in; everything else asks here.

let current;

/** How many writes the platform has taken. */
export const taken = { writes: 0 };

/** Puts a host in place. */
export function setHost(host) {
  current = host;
}

/** The host of this process. */
export function host() {
  if (!current) throw new Error("there is no host here; in a test, begin with `testHost()` of @tradepost/sdk/testing");
  return current;
}

/** Headers that are for the host: it takes them, and they go no further. */
export const FOR_THE_HOST = ["tradepost-credential", "tradepost-rate", "tradepost-repeat"];

/** Whether a request only reads, by its method and by what was said of repeating it. */
export function isRead(method, repeat) {
  return repeat === "safe" || (repeat !== "never" && (method === "GET" || method === "HEAD"));
}

let filled = () => ({});

/** What the defined connector's settings are where the operator enters nothing: for hosts that are none. */
export const defaults = () => filled();

/** Says where the defaults come from. */
export function setDefaults(of) {
  filled = of;
}
