// {{title}}: reads products from files, writes orders to files.
import {
  type connector, type outcomes, type records, type sales, type source, type target, ConnectorError, defineConnector, done, each,
  files, page, remote, settings, settingsSchema, text,
} from "@tradepost/sdk";

import * as map from "./map.ts";

const LANGUAGE = "en";

function describe(): connector.Description {
  return {
    id: "{{id}}", version: "0.1.0", name: text("{{title}}"), vendor: "{{vendor}}",
    about: text("Products come from files, orders go to files."), idSpace: "{{name}}", mappingRevision: 1, storageVersion: 1,
    abilities: [
      { kind: "product", reading: { changes: true, ids: false, present: false, writes: false } },
      {
        kind: "order",
        writing: {
          facets: ["placed"], events: ["placed"], create: true, update: false, removals: [], maxBatch: 1,
          // The same order goes to the same file.
          idempotent: true, createDone: false,
        },
        lookup: { lagSeconds: 0 },
      },
    ],
    settingsSchema: settingsSchema({
      account: { type: "string", title: "Name", description: "Another name is taken for another account.", default: "main" },
    }),
    origins: [], credentials: [], rates: [], files: true,
  };
}

function check(): connector.Account {
  // Fails where the folder is not granted.
  files.entries("inbox");
  return {
    id: settings<{ account: string }>().account, name: "{{title}}", environment: "test", zone: "UTC",
    channels: [{ id: "main", name: "{{title}}", currency: "EUR", basis: "gross", languages: [LANGUAGE], countries: [], zone: "UTC" }],
    warehouses: [],
  };
}

function pull({ kind, scope, cursor }: source.Request): source.Page {
  if (kind !== "product" || scope.tag !== "changed") throw ConnectorError.unsupported("products are read as their files come");
  const names = files.entries("inbox").map((entry) => entry.name).filter((name) => name.startsWith("products-"));
  const [name, ...later] = names.filter((one) => one > (cursor ?? ""));
  if (name === undefined) return page();
  // A file is a page; it is moved once the page is durable.
  const rows: map.Row[] = JSON.parse(new TextDecoder().decode(files.read(`inbox/${name}`)));
  const products = rows.map((row) => map.product(row, LANGUAGE));
  return page({ records: [{ tag: "products", val: products }], next: later.length > 0 ? name : null, receipt: name });
}

function acknowledge(_kind: records.Kind, receipt: string): void {
  files.rename(`inbox/${receipt}`, `done/${receipt}`);
}

/** The file of an order, in `outbox`. */
function file(number: string): string {
  return `order-${encodeURIComponent(number)}.json`;
}

async function push(batch: records.Records): Promise<void> {
  if (batch.tag !== "orders") throw ConnectorError.unsupported("only orders go out");
  await each(batch.val, (order: sales.Order): outcomes.Outcome => {
    files.write(`outbox/${file(order.number)}`, JSON.stringify(map.order(order), null, 1));
    return done(remote(order.number));
  });
}

function find(_kind: records.Kind, probes: target.Probe[]): target.Found[][] {
  const there = new Set(files.entries("outbox").map((entry) => entry.name));
  return probes.map((probe) => probe.keys
    .filter((key) => key.name === "number" && there.has(file(key.value)))
    .map((key) => ({ remote: remote(key.value), marker: null, whole: true, parts: [] })));
}

export default defineConnector({ describe, check, pull, acknowledge, push, find });
