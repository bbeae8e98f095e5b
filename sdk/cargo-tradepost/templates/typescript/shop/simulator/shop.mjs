// The shop of docs/shop-api.md, in memory: `node simulator/shop.mjs [--port 8080]`. Port 0 takes a free one.
// Under /_control it does what the conformance suite asks of a simulator.
import { atStart, normal, serve } from "./server.mjs";

export const TOKEN = "t0ken-of-the-simulator";

/** Starts a shop; gives its address, its state and a function that ends it. */
export async function start(port = 0) {
  const shop = new Shop();
  return { ...(await serve(shop, port)), shop };
}

function refusal(status, code, field, message) {
  return [status, { error: { code, field, message } }];
}

class Shop {
  offset = 0;
  last = 0;

  constructor() {
    this.reset();
  }

  reset() {
    this.products = new Map();
    this.orders = new Map();
    this.made = new Map();
    this.writes = 0;
    this.offset = 0;
  }

  now() {
    return new Date(Date.now() + this.offset * 1000).toISOString();
  }

  answer(method, url, headers, body) {
    const [, area, list, id] = url.pathname.split("/");
    if (area === "_control") return this.control(method, list, body);
    if (headers.authorization !== `Bearer ${TOKEN}`) return refusal(401, "token", null, "The token is missing or wrong.");
    if (area === "api" && list === "shop") {
      return [200, {
        id: "simulated", name: "{{title}}", currency: "EUR", prices_include_tax: true, language: "en", country: "DE",
        zone: "Europe/Berlin", test: true, now: this.now(),
      }];
    }
    if (area !== "api" || !["products", "orders"].includes(list)) return refusal(404, "address", null, "There is nothing here.");
    const all = this[list];
    if (method === "GET" && !id) return [200, this.page(all, url.searchParams)];
    if (method === "POST" && !id && list === "products") return this.make(headers["idempotency-key"], body);
    const object = all.get(Number(id));
    if (!object) return refusal(404, "unknown", null, `There is no such object: ${id}.`);
    if (method === "GET") return [200, object];
    if (list === "products" && method === "PATCH") return this.change(object, body);
    if (list === "products" && method === "DELETE") {
      all.delete(object.id);
      this.writes++;
      return [204, undefined];
    }
    return refusal(405, "method", null, "That cannot be done here.");
  }

  page(all, query) {
    const limit = Math.min(Number(query.get("limit") ?? 50), 100);
    const ids = query.get("ids")?.split(",").map(Number);
    const fits = (object) =>
      object.id > Number(query.get("after") ?? 0) &&
      (!ids || ids.includes(object.id)) &&
      ["sku", "reference"].every((name) => !query.has(name) || object[name] === query.get(name)) &&
      (!query.has("changed_since") || object.updated_at > normal(query.get("changed_since"))) &&
      (!query.has("changed_until") || object.updated_at <= normal(query.get("changed_until")));
    const found = [...all.values()].sort((a, b) => a.id - b.id).filter(fits);
    const items = found.slice(0, limit);
    return { items, next: found.length > limit ? items.at(-1).id : null };
  }

  make(key, body) {
    const before = key && this.made.get(key);
    if (before && this.products.has(before)) return [200, this.products.get(before)];
    const wrong = this.wrong(body, null);
    if (wrong) return wrong;
    if (!body.sku) return refusal(422, "missing", "sku", "A product needs a SKU.");
    const id = ++this.last;
    this.products.set(id, { ...blank(id), ...body, id, updated_at: this.now() });
    if (key) this.made.set(key, id);
    this.writes++;
    return [201, this.products.get(id)];
  }

  change(object, body) {
    const wrong = this.wrong(body, object.id);
    if (wrong) return wrong;
    Object.assign(object, body, { id: object.id, updated_at: this.now() });
    this.writes++;
    return [200, object];
  }

  wrong(body, own) {
    for (const name of Object.keys(body)) {
      if (!(name in blank(0))) return refusal(422, "unknown_field", name, `A product has no ${name}.`);
    }
    for (const name of ["price", "stock", "tax_percent", "weight_kg"]) {
      const value = body[name];
      if (value !== undefined && value !== null && !/^-?[0-9]+(\.[0-9]+)?$/.test(value)) {
        return refusal(422, "no_number", name, `${name} is a decimal number as text.`);
      }
    }
    if ([...this.products.values()].some((other) => other.sku === body.sku && other.id !== own)) {
      return refusal(409, "sku_taken", "sku", "There is a product with this SKU.");
    }
    return null;
  }

  // The conformance suite's hand; see the documentation of `cargo tradepost conformance`.
  control(method, what, body) {
    const all = { make: true, change: true, remove: true, count: true, spoil: true };
    if (method === "GET" && !what) {
      return [200, { protocol: 1, kinds: { product: all, stock: all, price: all, order: all }, golden: [], clock: true, secrets: [TOKEN] }];
    }
    const list = body.kind === "order" ? this.orders : this.products;
    const object = list.get(Number(body.id));
    switch (what) {
      case "reset":
        this.reset();
        return [200, {}];
      case "clock":
        this.offset = body["offset-seconds"] ?? 0;
        return [200, {}];
      case "make": {
        const ids = Array.from({ length: body.count ?? 1 }, () => ++this.last);
        for (const id of ids) list.set(id, body.kind === "order" ? order(id, this.now()) : { ...blank(id), updated_at: this.now() });
        return [200, { ids: ids.map(String) }];
      }
      case "change":
        if (!object) return refusal(404, "unknown", null, "There is no such object.");
        if (body.kind === "order") object.state = "shipped";
        else if (body.kind === "stock") object.stock = "77";
        else if (body.kind === "price") object.price = "20.05";
        else object.name = `${object.name} (new)`;
        object.updated_at = this.now();
        return [200, {}];
      case "spoil":
        if (!object) return refusal(404, "unknown", null, "There is no such object.");
        // As an import or a plugin leaves it.
        Object.assign(object, SPOILT[body.kind]);
        return [200, {}];
      case "remove":
        return list.delete(Number(body.id)) ? [200, {}] : refusal(404, "unknown", null, "There is no such object.");
      case "count":
        return [200, { objects: list.size, writes: this.writes }];
      default:
        return refusal(404, "unknown", null, "The simulator cannot do that.");
    }
  }
}

/** What cannot be read of a record of each kind. */
const SPOILT = { product: { name: null }, stock: { stock: "some" }, price: { price: "cheap" }, order: { placed_at: "yesterday" } };

function blank(id) {
  return {
    id, sku: `SKU-${id}`, name: `Product ${id}`, description: null, active: true, gtin: null, weight_kg: null,
    tax_percent: "19", price: "10.00", stock: "5", reference: null, updated_at: "2026-01-01T00:00:00.000Z",
  };
}

function order(id, now) {
  return {
    id, number: `R-${1000 + id}`, state: "open", paid: true, currency: "EUR", placed_at: now, updated_at: now,
    email: "ada@example.com", note: null, payment: { method: "card", amount: "29.90", transaction: `t-${id}` },
    address: { first_name: "Ada", last_name: "Lovelace", street: "Ringweg 1", postcode: "10115", city: "Berlin", country: "DE" },
    lines: [{ id: 1, product_id: 1, sku: "SKU-1", name: "Cup", quantity: "2", unit_price: "12.50", total: "25.00", tax_percent: "19" }],
    shipping: { name: "Parcel", total: "4.90", tax_percent: "19" }, total: "29.90",
  };
}

await atStart("shop.mjs", start);
