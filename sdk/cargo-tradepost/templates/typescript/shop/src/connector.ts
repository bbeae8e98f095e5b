// {{title}}: reads and writes products, stock and prices, reads orders.
// In this order: what it says of itself, reading, writing, looking for what may have been written.
import {
  type catalog, type connector, type outcomes, type records, type source, type target, answered, Api, ConnectorError, defineConnector,
  done, each, page, readRows, remote, settings, settingsSchema, text, unchanged, utc,
} from "@tradepost/sdk";

import manifest from "../package.json" with { type: "json" };
import * as map from "./map.ts";
import type { List, Order, Product, Shop } from "./wire.ts";

interface Settings {
  url: string;
}

/** Most records per request. */
const MOST = 100;

const address = () => `${settings<Settings>().url}/api`;

function api(): Api {
  return new Api(address(), { credential: "api", explain: map.explain });
}

/** The shop's own words about itself, with the plain `fetch` that `Api` is made of: a header names the secret to place. */
async function shop(): Promise<Shop> {
  const response = await fetch(`${address()}/shop`, { headers: { accept: "application/json", "tradepost-credential": "api" } });
  const own = await answered<Partial<Shop>>(response, { explain: map.explain });
  // Without it every price and order would be unreadable, for no fault of theirs.
  if (own.currency === undefined || own.language === undefined) throw ConnectorError.unavailable("the shop says nothing of itself");
  return own as Shop;
}

function describe(): connector.Description {
  const reading = { changes: true, ids: true, present: false, writes: false };
  const writing = { facets: [], events: [], create: false, update: true, removals: [], maxBatch: 1, idempotent: false, createDone: false };
  const figure = "available" as const;
  return {
    id: "{{id}}",
    version: manifest.version,
    name: text("{{title}}"),
    vendor: "{{vendor}}",
    about: text("Keeps products, stock, prices and orders of {{title}} in step."),
    idSpace: "{{name}}",
    mappingRevision: 1,
    storageVersion: 1,
    abilities: [
      {
        kind: "product",
        reading: { ...reading, present: true },
        writing: {
          ...writing, facets: ["head", "texts:*", "grouping"], create: true, removals: ["deactivate", "delete"], marker: 128,
          idempotent: true,
        },
        lookup: { lagSeconds: 0 },
      },
      { kind: "stock", reading: { ...reading, figure }, writing: { ...writing, facets: ["stock:*"], figure }, lookup: { lagSeconds: 0 } },
      { kind: "price", reading, writing: { ...writing, facets: ["price:base:*"] }, lookup: { lagSeconds: 0 } },
      { kind: "order", reading },
    ],
    settingsSchema: settingsSchema({
      url: {
        type: "string", format: "uri", title: "Address of the shop",
        description: "Without /api and without a slash at the end, e.g. https://shop.example.com.",
      },
    }),
    origins: [{ scheme: "https", host: "{url}", why: text("The shop's interface.") }],
    credentials: [{ name: "api", title: text("Token of the shop's interface"), scheme: { tag: "bearer" }, origins: Uint32Array.of(0), required: true }],
    rates: [{ name: "api", perSecond: "10", burst: 20, concurrent: 4 }],
    files: false,
  };
}

async function check(): Promise<connector.Account> {
  const own = await shop();
  return {
    id: own.id,
    name: own.name,
    environment: own.test ? "test" : "live",
    zone: own.zone,
    now: utc(own.now),
    channels: [{
      id: map.MAIN, name: own.name, currency: own.currency, basis: own.prices_include_tax ? "gross" : "net",
      languages: [own.language], countries: [own.country], zone: own.zone,
    }],
    warehouses: [{ id: map.MAIN, name: own.name }],
  };
}

async function pull({ kind, scope, cursor, limit }: source.Request): Promise<source.Page> {
  const path = kind === "order" ? "/orders" : "/products";
  const query: Record<string, string | number | null | undefined> = { limit: Math.min(limit, MOST), after: cursor };
  if (scope.tag === "changed") {
    query.changed_since = scope.val.since;
    query.changed_until = scope.val.until;
  } else if (scope.tag === "ids") {
    query.ids = scope.val.join(",");
    if (scope.val.length === 0) return page();
  }
  if (kind === "order") {
    const { items, next } = await api().get<List<Order>>(path, query);
    const own = await shop();
    const { records, unreadable } = readRows(items, (one) => map.order(one, own));
    return page({ records: [{ tag: "orders", val: records }], unreadable, next: next?.toString() });
  }
  const { items, next } = await api().get<List<Product>>(path, query);
  if (scope.tag === "present") {
    const present = items.map((one) => ({ remote: remote(one.id), marker: one.reference, key: one.sku }));
    return page({ present, next: next?.toString() });
  }
  return page({ ...(await converted(kind, items)), next: next?.toString() });
}

/** Rows as records; one that cannot be converted stops no other. */
async function converted(kind: records.Kind, items: Product[]): Promise<Pick<source.Page, "records" | "unreadable">> {
  switch (kind) {
    case "product": {
      const { language } = await shop();
      const { records: val, unreadable } = readRows(items, (one) => map.product(one, language));
      return { records: [{ tag: "products", val }], unreadable };
    }
    case "stock": {
      const { records: val, unreadable } = readRows(items, map.stock);
      return { records: [{ tag: "stock", val }], unreadable };
    }
    case "price": {
      const own = await shop();
      const { records: val, unreadable } = readRows(items, (one) => map.price(one, own));
      return { records: [{ tag: "prices", val }], unreadable };
    }
    default:
      throw ConnectorError.unsupported(`the shop has no ${kind}`);
  }
}

async function push(batch: records.Records): Promise<void> {
  switch (batch.tag) {
    case "products":
      return each(batch.val, writeProduct);
    case "stock":
      return each(batch.val, (level) => writeMembers(level.head.remote?.id, { stock: level.quantity }));
    case "prices":
      return each(batch.val, writePrice);
    default:
      throw ConnectorError.unsupported(`the shop takes no ${batch.tag}`);
  }
}

async function writeProduct(record: catalog.Product): Promise<outcomes.Outcome> {
  const { op, item, marker } = record.head;
  const { language } = await shop();
  const body = map.body(record, language);
  if (op === "create" || op === "create-done") {
    const make = { ...body, reference: marker ?? null };
    // The key makes a repeated request harmless: the shop answers with the product that the first one made.
    const made = await api().post<Product>("/products", make, { headers: { "idempotency-key": item } });
    return done(remote(made.id), { parts: map.parts(made) });
  }
  return writeMembers(record.head.remote?.id, body);
}

async function writePrice(price: catalog.Price): Promise<outcomes.Outcome> {
  if (price.kind !== "base") throw ConnectorError.unsupported("the shop has no special prices");
  if (!price.amount) throw ConnectorError.rejected("amount", "The shop cannot sell a product without a price.");
  return writeMembers(price.head.remote?.id, { price: price.amount });
}

/** Writes what is different, and nothing where all is as it should be. */
async function writeMembers(id: string | undefined, wanted: Partial<Product>): Promise<outcomes.Outcome> {
  if (!id) throw ConnectorError.bug("an update without the product's id");
  const there = await api().get<Product>(`/products/${id}`);
  const body = map.changes(wanted, there);
  if (Object.keys(body).length === 0) return unchanged(remote(there.id));
  const now = await api().patch<Product>(`/products/${id}`, body);
  return done(remote(now.id), { parts: map.parts(now) });
}

async function remove(kind: records.Kind, items: target.Doomed[], how: records.Removal): Promise<void> {
  if (kind !== "product") throw ConnectorError.unsupported(`no ${kind} can be removed`);
  // An item to be removed has no head of its own; `each` wants one to settle it by.
  await each(items.map((doomed) => ({ head: { item: doomed.item } as catalog.Product["head"], doomed })), async ({ doomed }) => {
    const path = `/products/${doomed.remote.id}`;
    try {
      if (how === "delete") await api().delete(path);
      else await api().patch(path, { active: false });
    } catch (error) {
      // It is gone already: that is what was wanted.
      if (!(error instanceof ConnectorError && error.payload.tag === "not-found")) throw error;
    }
    return done(doomed.remote);
  });
}

async function find(kind: records.Kind, probes: target.Probe[]): Promise<target.Found[][]> {
  if (kind === "order") throw ConnectorError.unsupported("orders are placed in the shop");
  const found: target.Found[][] = [];
  for (const probe of probes) {
    const matches = new Map<number, Product>();
    if (probe.marker) await collect(matches, { reference: probe.marker });
    for (const key of probe.keys) {
      if (matches.size === 0 && (key.name === "sku" || key.name === "number")) await collect(matches, { sku: key.value });
    }
    found.push([...matches.values()].map((one) => ({
      remote: remote(one.id), marker: one.reference, whole: true, parts: map.parts(one),
    })));
  }
  return found;
}

async function collect(into: Map<number, Product>, query: Record<string, string>): Promise<void> {
  const { items } = await api().get<List<Product>>("/products", query);
  for (const one of items) into.set(one.id, one);
}

export default defineConnector({ describe, check, pull, push, remove, find });
