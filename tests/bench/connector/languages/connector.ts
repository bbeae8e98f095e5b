// The connector of the benchmarks in TypeScript: reads the products that `src/lib.rs` reads, and says the same of them.
import {
  type catalog, type connector, type source, Api, ConnectorError, decimal, defineConnector, page, readHead, readRows, remote, settings,
  settingsSchema, text, texts,
} from "@tradepost/sdk";

interface Settings {
  url: string;
}

interface Product {
  id: string;
  sku: string;
  ean: string;
  name_de: string;
  name_en: string;
  description: string;
  tax: number;
  manufacturer: string;
  active: boolean;
  weight: number;
  color: string;
  size: string;
  image: string;
  updated_at: string;
}

interface Answer {
  data: Product[];
  next?: number | null;
}

function describe(): connector.Description {
  return {
    id: "org.tradepost.bench",
    version: "0.1.0",
    name: text("Bench"),
    vendor: "Tradepost",
    about: text("A fast local platform."),
    idSpace: "bench",
    mappingRevision: 1,
    storageVersion: 1,
    abilities: [{ kind: "product", reading: { changes: true, ids: false, present: false, writes: false } }],
    settingsSchema: settingsSchema({ url: { type: "string", format: "uri", title: "Address" } }),
    origins: [{ scheme: "https", host: "{url}", why: text("The platform.") }],
    credentials: [],
    rates: [],
    files: false,
  };
}

function check(): connector.Account {
  const { url } = settings<Settings>();
  return {
    id: url,
    name: "bench",
    environment: "test",
    zone: "UTC",
    channels: [
      { id: "main", name: "Main", currency: "EUR", basis: "gross", languages: ["de", "en"], countries: ["DE"], zone: "UTC" },
    ],
    warehouses: [{ id: "main", name: "Main" }],
  };
}

async function pull({ kind, scope, cursor, limit }: source.Request): Promise<source.Page> {
  if (kind !== "product" || scope.tag !== "changed") throw ConnectorError.unsupported("only changes of products");
  const api = new Api(settings<Settings>().url);
  const query = { page: cursor ?? "1", per_page: limit, updated_since: scope.val.since };
  const { data, next } = await api.get<Answer>("/products", query);
  const { records: val, unreadable } = readRows(data, product);
  return page({ records: [{ tag: "products", val }], unreadable, next: next?.toString() });
}

function product(from: Product): catalog.Product {
  const attribute = (name: string, value: string): catalog.Attribute => ({ name, value, language: "de" });
  return {
    head: readHead(from.id, { updated: from.updated_at }),
    base: { number: from.sku, form: "goods", active: from.active, manufacturer: from.manufacturer },
    texts: [texts("de", from.name_de, { longHtml: from.description }), texts("en", from.name_en)],
    pictures: [{ key: "main", content: { url: from.image }, title: [] }],
    attributes: [attribute("colour", from.color), attribute("size", from.size)],
    variants: [{
      remote: remote(from.id),
      sku: from.sku,
      gtin: from.ean,
      active: from.active,
      taxPercent: decimal(String(from.tax)),
      choices: [],
      weightKg: decimal(String(from.weight)),
      extra: [],
    }],
    extra: [],
  };
}

export default defineConnector({ describe, check, pull });
