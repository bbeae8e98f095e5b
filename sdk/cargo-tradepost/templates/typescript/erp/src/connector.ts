// {{title}}: reads products, stock and prices; makes orders that were sold elsewhere, and reads what becomes of them.
// In this order: what it says of itself, reading, writing, looking for what may have been written.
import {
  type connector, type outcomes, type Query, type records, type sales, type source, type target, Api, ConnectorError, defineConnector,
  done, each, page, partial, readRows, remote, settings, settingsSchema, settle, text, unchanged, utc,
} from "@tradepost/sdk";

import manifest from "../package.json" with { type: "json" };
import * as map from "./map.ts";
import type { Company, Delivery, Item, List, Order, Stock } from "./wire.ts";

interface Settings {
  url: string;
}

/** Most rows per request. */
const MOST = 200;

const LISTS: Partial<Record<records.Kind, string>> = {
  product: "/items", price: "/items", stock: "/stock", order: "/orders", shipment: "/deliveries",
};

function api(): Api {
  return new Api(`${settings<Settings>().url}/v1`, { credential: "api", explain: map.explain });
}

function describe(): connector.Description {
  const reading = { changes: true, ids: true, present: false, writes: false };
  // An order is made once and never changed: what happens to it later comes as an event.
  const writing = { create: true, update: false, removals: [], maxBatch: 1, idempotent: true, createDone: false };
  const lookup = { lagSeconds: 0 };
  return {
    id: "{{id}}",
    version: manifest.version,
    name: text("{{title}}"),
    vendor: "{{vendor}}",
    about: text("Products, stock and prices of {{title}}; orders go there, deliveries come back."),
    idSpace: "{{name}}",
    mappingRevision: 1,
    storageVersion: 1,
    abilities: [
      { kind: "product", reading: { ...reading, present: true } },
      { kind: "stock", reading: { ...reading, figure: "available" } },
      { kind: "price", reading },
      {
        kind: "order", reading, lookup,
        writing: { ...writing, facets: ["placed", "state", "payment"], events: ["placed"], marker: 64 },
      },
      { kind: "order-event", lookup, writing: { ...writing, facets: ["event"], events: ["paid", "cancelled"] } },
      { kind: "shipment", reading },
    ],
    settingsSchema: settingsSchema({
      url: {
        type: "string", format: "uri", title: "Address of the ERP",
        description: "Without /v1 and without a slash at the end, e.g. https://erp.example.com.",
      },
    }),
    origins: [{ scheme: "https", host: "{url}", why: text("The ERP's interface.") }],
    credentials: [{
      name: "api", title: text("Key of the ERP's interface"), scheme: { tag: "header", val: "x-api-key" }, origins: Uint32Array.of(0),
      required: true,
    }],
    rates: [{ name: "api", perSecond: "5", burst: 10, concurrent: 2 }],
    files: false,
  };
}

async function company(): Promise<Company> {
  const own = await api().get<Partial<Company>>("/company");
  // Without it every price and text would be unreadable, for no fault of theirs.
  if (own.currency === undefined || own.language === undefined) throw ConnectorError.unavailable("the ERP says nothing of itself");
  return own as Company;
}

async function check(): Promise<connector.Account> {
  const { id, name, test, zone, now, currency, language, country, warehouses } = await company();
  return {
    id,
    name,
    environment: test ? "test" : "live",
    zone,
    now: utc(now),
    channels: [{ id: map.MAIN, name, currency, basis: "net", languages: [language], countries: [country], zone }],
    warehouses,
  };
}

async function pull({ kind, scope, cursor, limit }: source.Request): Promise<source.Page> {
  const list = LISTS[kind];
  if (!list) throw ConnectorError.unsupported(`the ERP has no ${kind} to be read`);
  const query: Query = { limit: Math.min(limit, MOST), cursor };
  // A draft is no order yet: it has no number.
  if (kind === "order") query.confirmed = true;
  if (scope.tag === "changed") {
    query.modified_from = scope.val.since;
    query.modified_to = scope.val.until;
  } else if (scope.tag === "ids") {
    query.ids = scope.val.join(",");
    if (scope.val.length === 0) return page();
  }
  const { data, cursor: next } = await api().get<List<unknown>>(list, query);
  if (scope.tag === "present") {
    return page({ present: (data as Item[]).map((one) => ({ remote: remote(one.id), key: one.sku })), next });
  }
  return page({ ...(await converted(kind, data)), next });
}

/** Rows as records; one that cannot be converted stops no other. */
async function converted(kind: records.Kind, data: unknown[]): Promise<Pick<source.Page, "records" | "unreadable">> {
  switch (kind) {
    case "product": {
      const { language } = await company();
      const { records: val, unreadable } = readRows(data as Item[], (one) => map.product(one, language));
      return { records: [{ tag: "products", val }], unreadable };
    }
    case "price": {
      const { currency } = await company();
      const { records: val, unreadable } = readRows(data as Item[], (one) => map.price(one, currency));
      return { records: [{ tag: "prices", val }], unreadable };
    }
    case "stock": {
      // A row has the levels of all warehouses, which are a record each.
      const { records, unreadable } = readRows(data as Stock[], map.stock);
      return { records: [{ tag: "stock", val: records.flat() }], unreadable };
    }
    case "order": {
      const { records: val, unreadable } = readRows(data as Order[], map.order);
      return { records: [{ tag: "orders", val }], unreadable };
    }
    default: {
      const { records: val, unreadable } = readRows(data as Delivery[], map.shipment);
      return { records: [{ tag: "shipments", val }], unreadable };
    }
  }
}

async function push(batch: records.Records): Promise<void> {
  switch (batch.tag) {
    case "orders":
      return each(batch.val, writeOrder);
    case "order-events":
      return each(batch.val, writeEvent);
    default:
      throw ConnectorError.unsupported(`the ERP takes no ${batch.tag}`);
  }
}

/** Two steps: a draft, which the ERP makes once per external reference, and its confirmation. */
async function writeOrder(order: sales.Order): Promise<outcomes.Outcome> {
  const { item, remote: begun } = order.head;
  const written = (row: Order) => ({ parts: map.parts(row), total: map.amount(row.gross) });
  // Where there is one already, it was cut off between the two.
  let row = begun ? await api().get<Order>(`/orders/${begun.id}`) : await api().post<Order>("/orders", map.newOrder(order));
  // From here on a cut ends in a resume.
  settle(item, partial(remote(row.id), written(row)));
  if (row.state === "draft") row = await api().post<Order>(`/orders/${row.id}/confirm`, {});
  return done(remote(row.id), written(row));
}

async function writeEvent({ head, order, what }: sales.OrderEvent): Promise<outcomes.Outcome> {
  const id = head.remote?.id ?? order.id;
  if (!id) throw ConnectorError.bug("an event without its order's id");
  const row = await api().get<Order>(`/orders/${id}`);
  if (has(row, head.item, what.tag === "cancelled")) return unchanged(remote(row.id));
  if (what.tag === "paid") {
    await api().post<Order>(`/orders/${id}/payments`, map.payment(what.val, head.item));
  } else if (what.tag === "cancelled") {
    if (what.val.lines.length > 0) {
      throw ConnectorError.rejected("lines", "The ERP cancels whole orders only. Change the order there by hand.");
    }
    await api().post<Order>(`/orders/${id}/cancel`, { reason: what.val.reason ?? null });
  } else {
    throw ConnectorError.unsupported("only payments and cancellations are written");
  }
  return done(remote(row.id));
}

/** Whether an order has what an event says: it is cancelled, or has a payment with the item as its reference. */
function has(row: Order, item: string, cancelled: boolean): boolean {
  return cancelled ? row.state === "cancelled" : row.payments.some((payment) => payment.reference === item);
}

async function find(kind: records.Kind, probes: target.Probe[]): Promise<target.Found[][]> {
  const by: Partial<Record<records.Kind, (probe: target.Probe) => Promise<target.Found[]>>> = {
    order: ordersOf, "order-event": applied,
  };
  const look = by[kind];
  if (!look) throw ConnectorError.unsupported(`no ${kind} is written`);
  const found: target.Found[][] = [];
  for (const probe of probes) found.push(await look(probe));
  return found;
}

/** Orders that a probe finds. Two shops may have the same number: it counts only where there is no marker. */
async function ordersOf(probe: target.Probe): Promise<target.Found[]> {
  const number = probe.keys.find((key) => key.name === "number")?.value;
  if (!probe.marker && !number) return [];
  const query = probe.marker ? { external_reference: probe.marker } : { customer_reference: number };
  const { data } = await api().get<List<Order>>("/orders", query);
  return data.map((row) => ({
    remote: remote(row.id), marker: row.external_reference, whole: row.state !== "draft", parts: map.parts(row),
  }));
}

/** The order of an event that was applied to it. */
async function applied({ of, item, keys }: target.Probe): Promise<target.Found[]> {
  if (!of) return [];
  try {
    const row = await api().get<Order>(`/orders/${of.id}`);
    const cancelled = keys.some((key) => key.name === "event" && key.value.startsWith('{"cancelled"'));
    return has(row, item, cancelled) ? [{ remote: remote(row.id), whole: true, parts: [] }] : [];
  } catch (error) {
    if (error instanceof ConnectorError && error.payload.tag === "not-found") return [];
    throw error;
  }
}

export default defineConnector({ describe, check, pull, push, find });
