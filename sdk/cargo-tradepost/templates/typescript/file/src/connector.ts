// {{title}}: reads products from files, writes orders to files.
import {
  type connector, type outcomes, type records, type sales, type source, type target, ConnectorError, defineConnector, done, each,
  files, page, parseJson, readRows, remote, settings, settingsSchema, text,
} from "@tradepost/sdk";

import manifest from "../package.json" with { type: "json" };
import * as map from "./map.ts";

const LANGUAGE = "en";

function describe(): connector.Description {
  return {
    id: "{{id}}", version: manifest.version, name: text("{{title}}"), vendor: "{{vendor}}",
    about: text("Products come from files, orders go to files."), idSpace: "{{name}}", mappingRevision: 1, storageVersion: 1,
    abilities: [
      { kind: "product", reading: { changes: true, ids: false, present: false, writes: false } },
      {
        kind: "order",
        writing: {
          facets: ["placed"], events: ["placed"], create: true, update: false, removals: [], maxBatch: 1,
          // An order that is there, or was taken, is not written again.
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
  const ends = { next: later.length > 0 ? name : null, receipt: name };
  const raw = new TextDecoder().decode(files.read(`inbox/${name}`));
  const rows = list(raw);
  // A person looks at it, and the next file is read all the same.
  if (rows === null) return page({ unreadable: [{ id: name, raw, why: "The file holds no list." }], ...ends });
  const { records: val, unreadable } = readRows(rows, (row) => map.product(row, LANGUAGE));
  return page({ records: [{ tag: "products", val }], unreadable, ...ends });
}

function list(text: string): map.Row[] | null {
  try {
    const rows = parseJson(text);
    return Array.isArray(rows) ? rows : null;
  } catch {
    return null;
  }
}

function acknowledge(_kind: records.Kind, receipt: string): void {
  files.rename(`inbox/${receipt}`, `done/${receipt}`);
}

/** What all files of orders with a number begin with; what is encoded has no `+`. */
function start(number: string): string {
  return `order-${encodeURIComponent(number)}+`;
}

/** The file of an order. Two orders may have one number; the item is the order's own. */
function file(number: string, item: string): string {
  return `${start(number)}${encodeURIComponent(item)}.json`;
}

/** Whether a file was written. Looked for in the order in which the ERP moves it, so that it is not missed between two. */
function written(name: string): boolean {
  return ["outbox", "done", "failed"].some((folder) => files.exists(`${folder}/${name}`));
}

async function push(batch: records.Records): Promise<void> {
  if (batch.tag !== "orders") throw ConnectorError.unsupported("only orders go out");
  await each(batch.val, (order: sales.Order): outcomes.Outcome => {
    const name = file(order.number, order.head.item);
    if (!written(name)) files.write(`outbox/${name}`, JSON.stringify(map.order(order), null, 1));
    return done(remote(name));
  });
}

function find(_kind: records.Kind, probes: target.Probe[]): target.Found[][] {
  const there = files.entries("outbox").map((entry) => entry.name);
  return probes.map((probe) => {
    const numbers = probe.keys.filter((key) => key.name === "number").map((key) => key.value);
    const own = numbers.map((number) => file(number, probe.item)).filter(written);
    const names = own.length > 0 ? own : there.filter((name) => numbers.some((number) => name.startsWith(start(number))));
    return names.map((name) => ({ remote: remote(name), marker: null, whole: true, parts: [] }));
  });
}

export default defineConnector({ describe, check, pull, acknowledge, push, find });
