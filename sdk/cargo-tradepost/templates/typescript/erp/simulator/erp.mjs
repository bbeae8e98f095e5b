// The ERP of docs/erp-api.md, in memory: `node simulator/erp.mjs [--port 8080]`. Port 0 takes a free one.
// Under /_control it does what the conformance suite asks of a simulator.
import { readFileSync } from "node:fs";

import { atStart, normal, serve } from "./server.mjs";

export const KEY = "k3y-of-the-simulator";

/** Starts an ERP; gives its address, its state and a function that ends it. */
export async function start(port = 0) {
  const erp = new Erp();
  return { ...(await serve(erp, port)), erp };
}

function refusal(status, field, message) {
  return [status, { message, errors: field ? [{ field, message }] : [] }];
}

class Erp {
  offset = 0;
  last = 0;

  constructor() {
    this.reset();
  }

  reset() {
    this.items = new Map();
    this.orders = new Map();
    this.deliveries = new Map();
    this.writes = 0;
    this.offset = 0;
  }

  now() {
    return new Date(Date.now() + this.offset * 1000).toISOString();
  }

  answer(method, url, headers, body) {
    const [, area, list, id, verb] = url.pathname.split("/");
    if (area === "_control") return this.control(method, list, body);
    if (headers["x-api-key"] !== KEY) return refusal(401, null, "The key is missing or wrong.");
    if (area === "v1" && list === "company") return [200, this.company()];
    const all = area === "v1" ? { items: this.items, stock: this.items, orders: this.orders, deliveries: this.deliveries }[list] : null;
    if (!all) return refusal(404, null, "There is nothing here.");
    if (method === "GET" && !id) return [200, page(all, list, url.searchParams)];
    if (method === "POST" && list === "orders" && !id) return this.make(body);
    const there = all.get(Number(id));
    if (!there) return refusal(404, null, `There is no such object: ${id}.`);
    if (method === "GET" && list === "orders" && !verb) return [200, there];
    if (method === "POST" && list === "orders" && ["confirm", "payments", "cancel"].includes(verb)) return this.act(there, verb, body);
    return refusal(405, null, "That cannot be done here.");
  }

  company() {
    return {
      id: "simulated", name: "{{title}}", currency: "EUR", language: "en", country: "DE", zone: "Europe/Berlin", test: true,
      now: this.now(), warehouses: [{ id: "HAM", name: "Hamburg" }, { id: "MUC", name: "Munich" }],
    };
  }

  /** Makes a draft, once per external reference. */
  make(body) {
    const reference = body.external_reference;
    const before = reference && [...this.orders.values()].find((order) => order.external_reference === reference);
    if (before) return [200, before];
    const id = this.last + 1;
    const lines = [];
    for (const [at, line] of (body.lines ?? []).entries()) {
      const item = [...this.items.values()].find((one) => one.id === line.item_id || one.sku === line.sku);
      if (line.kind === "item" && !item) {
        return refusal(422, `lines[${at}].item_id`, `There is no item ${line.item_id} with the SKU ${line.sku}.`);
      }
      lines.push({ ...line, id: id * 100 + at + 1, item_id: line.kind === "item" ? item.id : line.item_id });
    }
    const { taxes, gross } = totals(lines);
    if (body.gross !== gross) return refusal(422, "gross", `The lines and their taxes come to ${gross}, the order says ${body.gross}.`);
    const order = { ...body, id, number: null, state: "draft", lines, taxes, modified_at: this.now() };
    this.last = id;
    this.orders.set(id, order);
    this.writes++;
    return [201, order];
  }

  /** Confirms, pays or cancels an order; what it is already stays as it is. */
  act(order, verb, body) {
    if (verb === "confirm") {
      if (order.state !== "draft") return [200, order];
      Object.assign(order, { state: "confirmed", number: `SO-${1000 + order.id}` });
    } else if (verb === "payments") {
      if (body.reference && order.payments.some((payment) => payment.reference === body.reference)) return [200, order];
      order.payments.push(body);
    } else if (order.state === "cancelled") {
      return [200, order];
    } else if (order.state === "draft" || order.state === "confirmed") {
      order.state = "cancelled";
    } else {
      return refusal(422, "state", `An order that is ${order.state} cannot be cancelled.`);
    }
    order.modified_at = this.now();
    this.writes++;
    return [200, order];
  }

  // The conformance suite's hand; see the documentation of `cargo tradepost conformance`.
  control(method, what, body) {
    const all = this.all(body.kind);
    const object = all.get(Number(body.id));
    switch (method === "GET" ? "" : what) {
      case "": {
        const hand = { make: true, change: true, remove: true, count: true, spoil: true };
        const kinds = { product: hand, stock: hand, price: hand, order: hand, shipment: hand };
        return [200, { protocol: 1, kinds, golden: Object.keys(golden()), clock: true, secrets: [KEY] }];
      }
      case "reset":
        this.reset();
        return [200, {}];
      case "clock":
        this.offset = body["offset-seconds"] ?? 0;
        return [200, {}];
      case "make":
        return [200, { ids: Array.from({ length: body.count ?? 1 }, () => String(this.put(body.kind))) }];
      case "golden": {
        const records = golden()[body.case].map(({ members, ...record }) => ({ ...record, id: String(this.put(record.kind, members)) }));
        return [200, { records }];
      }
      case "count":
        return [200, { objects: all.size, writes: this.writes }];
      case "change":
        if (!object) return refusal(404, null, "There is no such object.");
        if (body.kind === "order") object.state = "shipped";
        else if (body.kind === "stock") object.levels[0].available = "77";
        else if (body.kind === "price") object.net_price = 2005;
        else if (body.kind === "shipment") object.parcels[0].tracking_code = "0034-2";
        else object.name = `${object.name} (new)`;
        object.modified_at = this.now();
        return [200, {}];
      case "spoil":
        if (!object) return refusal(404, null, "There is no such object.");
        // As an import or a plugin leaves it.
        if (body.kind === "stock") object.levels[0].available = "some";
        else Object.assign(object, SPOILT[body.kind]);
        return [200, {}];
      case "remove":
        return all.delete(Number(body.id)) ? [200, {}] : refusal(404, null, "There is no such object.");
      default:
        return refusal(404, null, "The simulator cannot do that.");
    }
  }

  all(kind) {
    return { order: this.orders, shipment: this.deliveries }[kind] ?? this.items;
  }

  /** Makes an object that has these members, and what it needs. */
  put(kind, members = {}) {
    let made;
    if (kind === "order") made = order([...this.items.keys()][0] ?? this.put("product"));
    else if (kind === "shipment") made = delivery(this.put("order", { state: "shipped" }));
    else made = item(this.last + 1);
    const id = ++this.last;
    if (kind === "order") made.number = `SO-${1000 + id}`;
    this.all(kind).set(id, { id, modified_at: this.now(), ...made, ...members });
    return id;
  }
}

/** Objects as the suite's rules want them, and how they must be read. */
function golden() {
  return JSON.parse(readFileSync(new URL("../fixtures/golden.json", import.meta.url), "utf8"));
}

/** The tax of each rate, and what the lines come to with it. */
function totals(lines) {
  const nets = new Map();
  for (const { tax_rate, net } of lines) nets.set(tax_rate ?? 0, (nets.get(tax_rate ?? 0) ?? 0) + net);
  // Half a hundredth is rounded up.
  const all = [...nets].map(([tax_rate, net]) => ({ tax_rate, net, tax: Math.floor((2 * net * tax_rate + 10000) / 20000) }));
  return { taxes: all.filter(({ tax_rate }) => tax_rate > 0), gross: all.reduce((sum, { net, tax }) => sum + net + tax, 0) };
}

function page(all, list, query) {
  const limit = Math.min(Number(query.get("limit") ?? 50), 200);
  const after = parseInt(query.get("cursor")?.slice(1) ?? "0", 16);
  const ids = query.get("ids")?.split(",").map(Number);
  const [from, to] = ["modified_from", "modified_to"].map((name) => query.has(name) && normal(query.get(name)));
  const fits = (object) =>
    object.id > after &&
    (!ids || ids.includes(object.id)) &&
    (query.get("confirmed") !== "true" || object.state !== "draft") &&
    ["external_reference", "customer_reference"].every((name) => !query.has(name) || object[name] === query.get(name)) &&
    (!from || object.modified_at >= from) &&
    (!to || object.modified_at <= to);
  const found = [...all.values()].sort((a, b) => a.id - b.id).filter(fits);
  const rows = found.slice(0, limit);
  return { data: rows.map((row) => shown(list, row)), cursor: found.length > limit ? `c${rows.at(-1).id.toString(16)}` : null };
}

/** An item without its stock, or the stock of an item. */
function shown(list, object) {
  const { id, sku, levels, modified_at, ...others } = object;
  if (list === "items") return { id, sku, modified_at, ...others };
  return list === "stock" ? { id, sku, levels, modified_at } : object;
}

/** What cannot be read of a record of each kind. */
const SPOILT = {
  product: { name: null }, price: { net_price: null }, order: { ordered_at: "yesterday" }, shipment: { shipped_at: "yesterday" },
};

function item(id) {
  return {
    sku: `SKU-${id}`, name: `Item ${id}`, description: null, active: true, barcode: null, weight_g: null, tax_rate: 1900, net_price: 1000,
    levels: [{ warehouse: "HAM", available: "5" }, { warehouse: "MUC", available: "0" }],
  };
}

function order(item) {
  return {
    state: "confirmed", external_reference: null, customer_reference: null, currency: "EUR", ordered_at: "2026-01-31T09:00:00+01:00",
    email: "ada@example.com", note: null,
    billing_address: {
      company: null, first_name: "Ada", last_name: "Lovelace", lines: ["Ringweg 1"], postcode: "10115", city: "Berlin", country: "DE",
    },
    delivery_address: null,
    lines: [
      {
        id: 1, reference: null, kind: "item", item_id: item, sku: `SKU-${item}`, name: "Cup", quantity: "2", unit_price: "10.5042",
        net: 2101, tax_rate: 1900,
      },
      {
        id: 2, reference: null, kind: "shipping", item_id: null, sku: null, name: "Parcel", quantity: "1", unit_price: "4.12", net: 412,
        tax_rate: 1900,
      },
    ],
    taxes: [{ tax_rate: 1900, net: 2513, tax: 477 }], gross: 2990,
    payments: [{ reference: null, method: "card", amount: 2990, transaction: "t-1", paid_at: "2026-01-31T09:01:00+01:00" }],
  };
}

function delivery(order) {
  return {
    number: `D-${order}`, order_id: order, order_number: `SO-${1000 + order}`, shipped_at: "2026-02-01T15:00:00+01:00",
    completes_order: true,
    parcels: [{ carrier: "DHL", tracking_code: "00340434", lines: [{ line_id: 1, quantity: "2" }] }],
  };
}

await atStart("erp.mjs", start);
