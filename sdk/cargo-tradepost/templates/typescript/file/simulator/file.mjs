// The ERP of docs/files.md, which works in an exchange folder: `node simulator/file.mjs [--port 8080]`. Port 0 takes a free one.
// Under /_control it does what the conformance suite asks of a simulator; a reset says where the folder is.
import { readFileSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { atStart, serve } from "./server.mjs";

/** Products of one file. */
const PRODUCTS = 2;
const NAMES = { "golden-records": "Plain cup", "unicode-texts": "Tasse 😀 𝒳 für Gäste, 東京の茶碗, e\u0301" };

/** Starts an ERP; gives its address and a function that ends it. */
export async function start(port = 0) {
  return serve(new Erp(), port);
}

class Erp {
  last = 0;

  constructor() {
    this.reset("");
  }

  reset(folder) {
    this.folder = folder;
    this.products = new Map();
    this.files = [];
    this.orders = 0;
  }

  answer(method, url, headers, body) {
    const [, area, what = ""] = url.pathname.split("/");
    const answer = area === "_control" ? this.control(what, body) : undefined;
    return answer ? [200, answer] : [404, { message: "There is no such thing." }];
  }

  control(what, body) {
    switch (what) {
      case "":
        return {
          protocol: 1,
          kinds: { product: { make: true, change: true, count: true, spoil: true }, order: { count: true } },
          golden: Object.keys(NAMES),
        };
      case "reset":
        this.reset(body.folder);
        return {};
      case "make": {
        const rows = Array.from({ length: body.count }, () => this.product("Cup"));
        this.write(rows);
        return { ids: rows.map((row) => row.id) };
      }
      case "change": {
        const row = this.products.get(body.id);
        if (row) this.write([{ ...row, name: "Changed" }]);
        return row && {};
      }
      case "spoil": {
        const file = this.files.findLast(({ rows }) => rows.some((row) => row.id === body.id));
        if (!file) return undefined;
        // A word takes the place of the weight in the file that waits.
        file.rows = file.rows.map((row) => (row.id === body.id ? { ...row, weight_kg: "heavy" } : row));
        this.put(file);
        return {};
      }
      case "count":
        this.take();
        return { objects: body.kind === "order" ? this.orders : this.products.size, writes: this.orders };
      case "golden": {
        const row = this.product(NAMES[body.case]);
        this.write([row]);
        const { id, sku, name, description } = row;
        const variant = { sku, facets: { head: { sku, weight_kg: row.weight_kg } } };
        const facets = { head: { number: sku, active: true }, "texts:en": { name, long_html: description } };
        return { records: [{ kind: "product", id, facets, variants: [variant] }] };
      }
      default:
        return undefined;
    }
  }

  product(name) {
    const id = String(++this.last);
    return {
      id, sku: `A-${id}`, name, description: "<p>Holds coffee.</p>", active: true, weight_kg: "0.350", tax_percent: "19",
    };
  }

  /** Into files whose names are in the order of time. */
  write(rows) {
    for (let at = 0; at < rows.length; at += PRODUCTS) {
      const file = { name: `products-${String(++this.last).padStart(6, "0")}.json`, rows: rows.slice(at, at + PRODUCTS) };
      this.put(file);
      for (const row of file.rows) this.products.set(row.id, row);
      this.files.push(file);
    }
  }

  /** Under another name, then renamed: nobody reads half a file. */
  put({ name, rows }) {
    const partial = join(this.folder, "inbox", `.${name}.tmp`);
    writeFileSync(partial, JSON.stringify(rows));
    renameSync(partial, join(this.folder, "inbox", name));
  }

  /** Takes the orders in, and moves their files as docs/files.md asks for. */
  take() {
    const outbox = join(this.folder, "outbox");
    for (const name of readdirSync(outbox).filter((name) => /^order-.*\.json$/.test(name))) {
      const order = JSON.parse(readFileSync(join(outbox, name), "utf8"));
      const place = typeof order.number === "string" ? "done" : "failed";
      if (place === "done") this.orders++;
      renameSync(join(outbox, name), join(this.folder, place, name));
    }
  }
}

await atStart("file.mjs", start);
