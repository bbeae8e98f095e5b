// The connector's own code over an exchange folder in memory.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import type { sales } from "@tradepost/sdk";
import { type Seen, testHost } from "@tradepost/sdk/testing";

import connector from "../src/connector.ts";
import products from "../fixtures/products.json" with { type: "json" };

let seen: Seen;
const everything = { tag: "changed", val: { until: "2999-01-01T00:00:00Z" } } as const;

beforeEach(() => {
  const files = { "inbox/products-1.json": JSON.stringify(products), "inbox/products-2.json": "[]" };
  seen = testHost({ settings: { account: "main" }, files });
});

const order: sales.Order = {
  head: { op: "create", item: "i-1", parts: [] }, number: "R/1", channel: "main", placed: "2026-01-31T08:00:00Z", state: "open",
  paymentState: "paid", currency: "EUR", basis: "gross", customer: { key: "ada@example.com" },
  buyer: { email: "ada@example.com", guest: true, active: true },
  billing: { key: "billing", lines: [], postcode: "10115", city: "Berlin", country: "DE" },
  lines: [{ id: "1", kind: "product", variant: { key: "A-1" }, name: "Cup", quantity: "2", unitPrice: "12.50", total: "25.00", extra: [] }],
  taxes: [], payments: [], total: "25.00", extra: [],
};

test("a file is a page and moves once it is durable", () => {
  const first = connector.pull({ kind: "product", scope: everything, limit: 100 });
  assert.deepEqual(first.records[0]?.val.map((one) => one.head.remote?.id), ["3", "4"]);
  assert.ok(seen.files.has("inbox/products-1.json"));
  connector.acknowledge("product", first.receipt ?? "");
  assert.ok(seen.files.has("done/products-1.json"));
  const last = connector.pull({ kind: "product", scope: everything, cursor: first.next, limit: 100 });
  assert.deepEqual([last.receipt, last.next], ["products-2.json", null]);
});

test("an order is one file, however often it is pushed", async () => {
  for (let n = 0; n < 2; n++) await connector.push({ tag: "orders", val: [order] });
  const written = [...seen.files].filter(([path]) => path.startsWith("outbox/"));
  assert.equal(written.length, 1);
  assert.equal(JSON.parse(new TextDecoder().decode(written[0]?.[1])).lines[0].sku, "A-1");
  const [found] = connector.find("order", [{ item: "i-1", keys: [{ name: "number", value: "R/1" }] }]);
  assert.equal(found?.[0]?.remote.id, "order-R%2F1+i-1.json");
  // The ERP has taken it: it is not written again.
  seen = testHost({ settings: { account: "main" }, files: { "done/order-R%2F1+i-1.json": "{}" } });
  await connector.push({ tag: "orders", val: [order] });
  assert.ok(!seen.files.has("outbox/order-R%2F1+i-1.json"));
});

test("a file that is no list, and a row that is no product, stop no other", () => {
  const [good] = products;
  const files = { "inbox/products-1.json": "oops", "inbox/products-2.json": JSON.stringify([{ id: "9", weight_kg: "" }, good]) };
  seen = testHost({ settings: { account: "main" }, files });
  const first = connector.pull({ kind: "product", scope: everything, limit: 100 });
  assert.deepEqual([first.unreadable.length, first.receipt], [1, "products-1.json"]);
  const next = connector.pull({ kind: "product", scope: everything, cursor: first.next, limit: 100 });
  assert.deepEqual([next.unreadable.map((one) => one.id), next.records[0]?.val.length], [["9"], 1]);
});
