// The connector's own code against the simulator, in Node. `cargo tradepost test` runs this and then tries the built
// component in the host's runtime.
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";

import type { catalog, ConnectorError, records } from "@tradepost/sdk";
import { type Seen, testHost } from "@tradepost/sdk/testing";

import { start, TOKEN } from "../simulator/shop.mjs";
import connector from "../src/connector.ts";
import * as map from "../src/map.ts";
import products from "../fixtures/products.json" with { type: "json" };
import orders from "../fixtures/orders.json" with { type: "json" };

let simulator: Awaited<ReturnType<typeof start>>;
let seen: Seen;

before(async () => {
  simulator = await start();
});
after(() => simulator.stop());
beforeEach(() => {
  simulator.shop.control("POST", "reset", {});
  seen = testHost({ settings: { url: simulator.address }, secrets: { api: { authorization: `Bearer ${TOKEN}` } } });
});

const everything = { tag: "changed", val: { until: "2999-01-01T00:00:00Z" } } as const;

function newProduct(item: string, sku: string): catalog.Product {
  const read = map.product({ ...products[0]!, sku }, "en");
  return { ...read, head: { op: "create", item, marker: `tp-${item}`, remote: null, parts: [] } };
}

test("fixtures become records", () => {
  const product = map.product(products[0]!, "en");
  assert.equal(product.head.remote?.id, "3");
  assert.equal(product.variants?.[0]?.weightKg, "0.350");
  const shop = { currency: "EUR", prices_include_tax: true, language: "en" } as Parameters<typeof map.order>[1];
  const order = map.order(orders[0] as Parameters<typeof map.order>[0], shop);
  assert.deepEqual(order.lines.map((line) => [line.kind, line.total]), [["product", "25.00"], ["shipping", "4.90"]]);
  assert.equal(order.total, "29.90");
});

test("check says whose shop it is", async () => {
  assert.equal((await connector.check()).id, "simulated");
});

test("pages follow each other without a gap", async () => {
  simulator.shop.control("POST", "make", { kind: "product", count: 7 });
  const ids: string[] = [];
  let cursor: string | null | undefined;
  do {
    const page = await connector.pull({ kind: "product", scope: everything, cursor, limit: 3 });
    const [list] = page.records;
    assert.equal(list?.tag, "products");
    ids.push(...(list?.val as catalog.Product[]).map((one) => one.head.remote?.id ?? ""));
    cursor = page.next;
  } while (cursor);
  assert.equal(new Set(ids).size, 7);
});

test("a product is made once, however often it is pushed", async () => {
  const batch: records.Records = { tag: "products", val: [newProduct("i-1", "NEW-1")] };
  await connector.push(batch);
  await connector.push(batch);
  assert.equal(simulator.shop.products.size, 1);
  assert.deepEqual(seen.settled.map(({ outcome }) => outcome.tag), ["done", "done"]);
  const [found] = await connector.find("product", [{ item: "i-1", marker: "tp-i-1", keys: [] }]);
  assert.equal(found?.length, 1);
});

test("what is the same is not written", async () => {
  simulator.shop.control("POST", "make", { kind: "product", count: 1 });
  const [id] = simulator.shop.products.keys();
  const level = { ...map.stock(simulator.shop.products.get(id ?? 0) as never), quantity: "5.0" };
  await connector.push({ tag: "stock", val: [level] });
  assert.equal(simulator.shop.writes, 0);
  assert.equal(seen.settled[0]?.outcome.tag, "unchanged");
});

test("one bad product fails alone, in the shop's words", async () => {
  simulator.shop.control("POST", "make", { kind: "product", count: 1 });
  const [there] = simulator.shop.products.values();
  await connector.push({ tag: "products", val: [newProduct("i-1", String(there?.sku)), newProduct("i-2", "NEW-2")] });
  assert.deepEqual(seen.settled.map(({ outcome }) => outcome.tag), ["failed", "done"]);
  // A person has to look at it: it is nobody else's change, which would be tried again.
  const issues = [{ path: "sku", code: "sku_taken", message: "There is a product with this SKU." }];
  assert.deepEqual(seen.settled[0]?.outcome.val, { tag: "rejected", val: issues });
});

test("a record that cannot be read stops no other", async () => {
  for (const kind of ["product", "stock", "price", "order"] as const) {
    simulator.shop.control("POST", "reset", {});
    const [, { ids }] = simulator.shop.control("POST", "make", { kind, count: 3 });
    simulator.shop.control("POST", "spoil", { kind, id: ids[1] });
    const page = await connector.pull({ kind, scope: everything, limit: 10 });
    assert.deepEqual(page.records[0]?.val.map((one) => one.head.remote?.id), [ids[0], ids[2]]);
    assert.deepEqual(page.unreadable.map((one) => one.id), [ids[1]]);
  }
});

test("the simulator reads forms, and its Date is the platform's time", async () => {
  simulator.shop.control("POST", "clock", { "offset-seconds": -3600 });
  const body = new URLSearchParams({ kind: "product", count: "2" });
  const answer = await fetch(`${simulator.address}/_control/make`, { method: "POST", body });
  assert.equal(simulator.shop.products.size, 2);
  const behind = (Date.now() - Date.parse(answer.headers.get("date") ?? "")) / 60_000;
  assert.equal(Math.round(behind / 60), 1);
});

test("a wrong token is the operator's matter", async () => {
  testHost({ settings: { url: simulator.address }, secrets: { api: { authorization: "Bearer wrong" } } });
  await assert.rejects(async () => connector.check(), (error: ConnectorError) => error.payload.tag === "auth");
});
