// The connector's own code against the simulator, in Node. `cargo tradepost test` runs this and then tries the built
// component in the host's runtime.
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";

import type { catalog, ConnectorError, sales } from "@tradepost/sdk";
import { type Seen, testHost } from "@tradepost/sdk/testing";

import { KEY, start } from "../simulator/erp.mjs";
import connector from "../src/connector.ts";
import * as map from "../src/map.ts";
import type { Order, Stock } from "../src/wire.ts";
import deliveries from "../fixtures/deliveries.json" with { type: "json" };
import orders from "../fixtures/orders.json" with { type: "json" };
import stock from "../fixtures/stock.json" with { type: "json" };

let simulator: Awaited<ReturnType<typeof start>>;
let seen: Seen;

before(async () => {
  simulator = await start();
});
after(() => simulator.stop());
beforeEach(() => {
  simulator.erp.control("POST", "reset", {});
  seen = testHost({ settings: { url: simulator.address }, secrets: { api: { "x-api-key": KEY } } });
});

const everything = { tag: "changed", val: { until: "2999-01-01T00:00:00Z" } } as const;
const outcomes = () => seen.settled.map(({ outcome }) => outcome.tag).filter((tag) => tag !== "partial");
const onlyOrder = () => [...simulator.erp.orders.values()][0]!;

/** An order that was sold elsewhere. */
function sold(item: string, sku = madeItem()): sales.Order {
  const read = map.order(orders[0] as Order);
  const [first, ...others] = read.lines;
  return {
    ...read,
    head: { op: "create", item, marker: `shop-${item}`, remote: null, parts: [] },
    number: "1001",
    lines: [{ ...first!, variant: { id: null, key: sku } }, ...others],
  };
}

function madeItem(): string {
  const [, { ids }] = simulator.erp.control("POST", "make", { kind: "product", count: 1 });
  return String(simulator.erp.items.get(Number(ids[0]))?.sku);
}

test("fixtures become records", () => {
  assert.deepEqual(map.stock(stock[0] as Stock).map((one) => [one.warehouse, one.quantity]), [["HAM", "7"], ["MUC", "0.5"]]);
  const order = map.order(orders[0] as Order);
  assert.deepEqual(order.lines.map((line) => [line.kind, line.total]), [["product", "21.01"], ["shipping", "4.12"]]);
  assert.deepEqual([order.head.marker, order.total, order.placed], ["shop-1001", "29.90", "2026-01-31T08:00:00.000Z"]);
  const shipment = map.shipment(deliveries[0]!);
  assert.deepEqual([shipment.order.key, shipment.parcels[0]?.tracking, shipment.parcels[0]?.lines[0]?.line], ["SO-1009", "00340434", "901"]);
});

test("amounts are exact or refused", () => {
  assert.deepEqual(["-0.05", "29.900", "7", "-0"].map((text) => map.hundredths(text, "")), [-5, 2990, 700, 0]);
  assert.throws(() => map.hundredths("29.905", "total"), (error: ConnectorError) => error.payload.tag === "rejected");
});

test("check says whose ERP it is", async () => {
  const account = await connector.check();
  assert.deepEqual([account.id, account.warehouses.length], ["simulated", 2]);
});

test("pages follow each other without a gap", async () => {
  simulator.erp.control("POST", "make", { kind: "product", count: 7 });
  const ids: string[] = [];
  let cursor: string | null | undefined;
  do {
    const page = await connector.pull({ kind: "product", scope: everything, cursor, limit: 3 });
    ids.push(...(page.records[0]?.val as catalog.Product[]).map((one) => one.head.remote?.id ?? ""));
    cursor = page.next;
  } while (cursor);
  assert.deepEqual([ids.length, new Set(ids).size], [7, 7]);
});

test("an order is made once, however often it is pushed", async () => {
  const order = sold("i-1");
  await connector.push({ tag: "orders", val: [order] });
  await connector.push({ tag: "orders", val: [order] });
  assert.deepEqual([simulator.erp.orders.size, outcomes()], [1, ["done", "done"]]);
  assert.deepEqual([onlyOrder().state, typeof onlyOrder().number], ["confirmed", "string"]);
});

test("a draft that was left is finished and not made again", async () => {
  const order = sold("i-1");
  await connector.push({ tag: "orders", val: [order] });
  Object.assign(onlyOrder(), { state: "draft", number: null });
  const page = await connector.pull({ kind: "order", scope: everything, limit: 10 });
  assert.equal(page.records[0]?.val.length, 0);
  const [found] = await connector.find("order", [{ item: "i-1", marker: "shop-i-1", keys: [] }]);
  assert.equal(found![0]!.whole, false);
  await connector.push({ tag: "orders", val: [{ ...order, head: { ...order.head, op: "resume", remote: found![0]!.remote } }] });
  assert.deepEqual([simulator.erp.orders.size, onlyOrder().state], [1, "confirmed"]);
});

test("one bad order fails alone, in the ERP's words", async () => {
  await connector.push({ tag: "orders", val: [sold("i-1", "NOBODY"), sold("i-2")] });
  assert.deepEqual(outcomes(), ["failed", "done"]);
  const { tag, val } = seen.settled[0]?.outcome.val as Extract<ConnectorError["payload"], { tag: "rejected" }>;
  assert.deepEqual([tag, val[0]?.path], ["rejected", "lines[0].item_id"]);
  assert.match(val[0]?.message ?? "", /^There is no item/);
});

test("a record that cannot be read stops no other", async () => {
  for (const kind of ["product", "stock", "price", "order", "shipment"] as const) {
    simulator.erp.control("POST", "reset", {});
    const [, { ids }] = simulator.erp.control("POST", "make", { kind, count: 3 });
    simulator.erp.control("POST", "spoil", { kind, id: ids[1] });
    const page = await connector.pull({ kind, scope: everything, limit: 10 });
    assert.deepEqual([...new Set(page.records[0]?.val.map((one) => one.head.remote?.id))], [ids[0], ids[2]]);
    assert.deepEqual(page.unreadable.map((one) => one.id), [ids[1]]);
  }
});

test("events are applied once and found", async () => {
  await connector.push({ tag: "orders", val: [sold("i-1")] });
  const of = { id: String(onlyOrder().id) };
  const event = (item: string, what: sales.Happening): sales.OrderEvent => ({
    head: { op: "update", item, remote: of, parts: [] }, order: { id: of.id, key: "1001" }, at: "2026-02-01T08:00:00Z", what,
  });
  const val = [
    event("i-2", { tag: "paid", val: { method: "card", state: "paid", amount: "1.00" } }),
    event("i-3", { tag: "cancelled", val: { lines: [] } }),
  ];
  const probes = [
    { item: "i-2", of, keys: [{ name: "event", value: '{"paid":{"amount":"1"}}' }] },
    { item: "i-3", of, keys: [{ name: "event", value: '{"cancelled":{"lines":[]}}' }] },
  ];
  assert.deepEqual(await connector.find("order-event", probes), [[], []]);
  await connector.push({ tag: "order-events", val });
  assert.deepEqual((await connector.find("order-event", probes)).map((found) => found.length), [1, 1]);
  const { writes } = simulator.erp;
  await connector.push({ tag: "order-events", val });
  assert.deepEqual([outcomes().slice(-2), simulator.erp.writes], [["unchanged", "unchanged"], writes]);
});

test("a wrong key is the operator's matter", async () => {
  testHost({ settings: { url: simulator.address }, secrets: { api: { "x-api-key": "wrong" } } });
  await assert.rejects(async () => connector.check(), (error: ConnectorError) => error.payload.tag === "auth");
});
