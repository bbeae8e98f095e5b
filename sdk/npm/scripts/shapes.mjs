// Generates lib/shapes.js from wit/: what a connector's results look like, for the comparison in lib/contract.js.
// `--check` compares instead of writing.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";

const here = new URL("..", import.meta.url);
const FILE = new URL("lib/shapes.js", here);
/** What a connector gives; all other types are reached from them. */
const ROOTS = ["description", "account", "page", "found", "outcome", "error"];

const camel = (name) => name.replace(/-(\w)/g, (_, letter) => letter.toUpperCase());

/** `a, b<c, d>` at the commas that are in no brackets. */
function parts(text) {
  const found = [""];
  let depth = 0;
  for (const letter of text) {
    depth += "<(".includes(letter) ? 1 : ">)".includes(letter) ? -1 : 0;
    if (letter === "," && depth === 0) found.push("");
    else found[found.length - 1] += letter;
  }
  return found.map((part) => part.trim()).filter(Boolean);
}

/** The types of an interface by name, as the contract has them. */
function interfaces(text) {
  const bare = text.replace(/\/\/.*$/gm, "").replaceAll("%", "");
  const found = new Map();
  for (const [, name, body] of bare.matchAll(/^interface ([\w-]+) \{(.*?)^\}/gms)) {
    const own = new Map();
    for (const [, word, type, fields] of body.matchAll(/\b(record|variant|enum) ([\w-]+) \{([^}]*)\}/g)) own.set(type, { word, fields: parts(fields) });
    for (const [, alias, of] of body.matchAll(/\btype ([\w-]+) = ([^;]+);/g)) own.set(alias, { word: "type", of });
    const used = new Map();
    for (const [, from, names] of body.matchAll(/\buse ([\w-]+)\.\{([^}]*)\};/g)) for (const one of parts(names)) used.set(one, from);
    found.set(name, { own, used });
  }
  return found;
}

function shapes() {
  const all = new Map();
  for (const file of readdirSync(new URL("wit", here)).sort()) {
    for (const [name, types] of interfaces(readFileSync(new URL(`wit/${file}`, here), "utf8"))) all.set(name, types);
  }
  const made = new Map();
  const places = new Map();

  /** A type as it is written in the shapes: `text`, `text?` for an optional one, `text[]` for a list. */
  const written = (place, type) => {
    const [, outer, inner] = /^(option|list)<(.*)>$/.exec(type) ?? [];
    if (outer) return `${written(place, inner)}${outer === "option" ? "?" : "[]"}`;
    if (/^([us](8|16|32|64)|bool|string)$/.test(type)) return type;
    const { own, used } = all.get(place);
    const there = used.get(type);
    if (there) return written(there, type);
    const found = own.get(type);
    if (!found) throw new Error(`${place}.wit has no type ${type}`);
    if (found.word === "type") return written(place, found.of);
    reach(place, type, found);
    return type;
  };

  const reach = (place, type, { word, fields }) => {
    if (places.has(type)) {
      if (places.get(type) !== place) throw new Error(`${type} is in ${place}.wit and in ${places.get(type)}.wit`);
      return;
    }
    places.set(type, place);
    const pair = (field) => {
      const [, name, of] = word === "record" ? /^([\w-]+):\s*(.*)$/s.exec(field) : /^([\w-]+)(?:\((.*)\))?$/s.exec(field);
      return [word === "record" ? camel(name) : name, of ? written(place, of) : null];
    };
    made.set(type, { [word]: word === "enum" ? fields : Object.fromEntries(fields.map(pair)) });
  };

  for (const root of ROOTS) {
    const [place] = [...all].find(([, { own }]) => own.has(root)) ?? [];
    if (!place) throw new Error(`no type ${root}`);
    written(place, root);
  }
  const lines = [...made].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, shape]) => `  ${JSON.stringify(name)}: ${JSON.stringify(shape)},`);
  return `// Made by scripts/shapes.mjs from wit/: \`npm run types\`.\nexport const shapes = {\n${lines.join("\n")}\n};\n`;
}

const text = shapes();
if (!process.argv.includes("--check")) {
  writeFileSync(FILE, text);
} else if (readFileSync(FILE, "utf8") !== text) {
  console.error("lib/shapes.js is not what wit/ says; run npm run types");
  process.exitCode = 1;
}
