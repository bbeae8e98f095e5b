// JSON of platforms, read without rounding.

/**
 * Reads JSON. Whole numbers beyond 2^53, which a number of the language would round, come as text, so that an id stays what it is.
 */
export function parseJson(text) {
  const value = JSON.parse(text);
  if (!/[0-9]{16}/.test(text)) return value;
  return HAS_SOURCE ? JSON.parse(text, kept) : JSON.parse(text.replace(TOKENS, quoted));
}

/** Whether a reviver is told what a number looks like: the engine of connectors does so, and Node since 21. */
const HAS_SOURCE = JSON.parse("1", (_, value, context) => context?.source === "1");
/** Strings, so that what is in them is left alone, and numbers. */
const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"|-?[0-9][0-9.eE+-]*/g;

const rounded = (text) => /^-?[0-9]{16,}$/.test(text) && !Number.isSafeInteger(Number(text));

function kept(_, value, context) {
  return typeof value === "number" && rounded(context.source) ? context.source : value;
}

function quoted(token) {
  return rounded(token) ? `"${token}"` : token;
}
