// Compares what a connector gives with the contract. The engine that runs components ends the whole call at a value of another
// type, and names neither record nor field.
import { shapes } from "./shapes.js";

const RANGES = {
  u8: [0, 0xff], s8: [-0x80, 0x7f], u16: [0, 0xffff], s16: [-0x8000, 0x7fff], u32: [0, 0xffffffff], s32: [-0x80000000, 0x7fffffff],
  u64: [0, Number.MAX_SAFE_INTEGER], s64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
};
const known = new Map();

/** Where a value differs from a type of the contract, in a sentence, or null: `texts[0].name: expected text, found null`. */
export function misfit(type, value, path = "") {
  const wrong = comparison(type)(value);
  if (!wrong) return null;
  const [place, words] = path === "" ? wrong : below(path, wrong);
  return `${place || "the value"}: ${words}`;
}

/** Gives the value back, or throws a sentence that begins with where it differs. */
export function fitting(type, value, path = "") {
  const wrong = misfit(type, value, path);
  if (wrong) throw new TypeError(wrong);
  return value;
}

/** The text with halves of characters replaced, as a cut through an emoji leaves them: the contract has none. */
export function whole(text) {
  return halved(text) ? text.replace(/\p{Surrogate}/gu, "\ufffd") : text;
}

function halved(text) {
  return text.isWellFormed ? !text.isWellFormed() : /\p{Surrogate}/u.test(text);
}

function comparison(type) {
  let made = known.get(type);
  // Types may contain themselves only by name, which is looked up when a value is there.
  if (!made) known.set(type, (made = compare(type)));
  return made;
}

/** A function that gives null, or where and how a value differs. The place is put together only where one does. */
function compare(type) {
  if (type.endsWith("?")) {
    const inner = comparison(type.slice(0, -1));
    return (value) => (value === null || value === undefined ? null : inner(value));
  }
  if (type.endsWith("[]")) return list(comparison(type.slice(0, -2)));
  if (type === "string") {
    return (value) => {
      if (typeof value !== "string") return says("text", value);
      return halved(value) ? ["", "the text has half a character in it"] : null;
    };
  }
  if (type === "bool") return (value) => (typeof value === "boolean" ? null : says("true or false", value));
  const range = RANGES[type];
  if (range) {
    const [least, most] = range;
    const fits = (value) => Number.isInteger(value) && value >= least && value <= most;
    return (value) => (fits(value) ? null : says(`a whole number from ${least} to ${most}`, value));
  }
  const { record, variant, enum: names } = shapes[type];
  if (record) return fields(Object.entries(record).map(([name, of]) => [name, comparison(of)]));
  if (variant) return cases(new Map(Object.entries(variant).map(([name, of]) => [name, of && comparison(of)])));
  return (value) => (names.includes(value) ? null : says(`one of ${names.join(", ")}`, value));
}

function list(each) {
  return (value) => {
    if (!Array.isArray(value) && !ArrayBuffer.isView(value)) return says("a list", value);
    for (let at = 0; at < value.length; at += 1) {
      const wrong = each(value[at]);
      if (wrong) return below(`[${at}]`, wrong);
    }
    return null;
  };
}

function fields(all) {
  return (value) => {
    if (typeof value !== "object" || value === null) return says("a record", value);
    for (const [name, compared] of all) {
      const wrong = compared(value[name]);
      if (wrong) return below(name, wrong);
    }
    return null;
  };
}

function cases(all) {
  return (value) => {
    if (typeof value?.tag !== "string" || !all.has(value.tag)) return says(`a tag of ${[...all.keys()].join(", ")}`, value?.tag ?? value);
    const wrong = all.get(value.tag)?.(value.val);
    return wrong ? below(value.tag, wrong) : null;
  };
}

function below(place, [path, words]) {
  return [path === "" || path.startsWith("[") ? `${place}${path}` : `${place}.${path}`, words];
}

function says(expected, found) {
  return ["", `expected ${expected}, found ${shown(found)}`];
}

function shown(value) {
  if (typeof value === "string") return `the text \`${whole(value.slice(0, 60))}\``;
  if (typeof value === "number" || typeof value === "bigint" || typeof value === "boolean") return `${typeof value} ${value}`;
  if (Array.isArray(value)) return "a list";
  return value === null || value === undefined ? String(value) : typeof value;
}
