import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { contractError } from "../lib/error.js";
import { ConnectorError, defineConnector, done, each, page, readHead, readRows, remote, settings, settingsSchema, settle, text, texts } from "../lib/index.js";
import { testHost } from "../lib/testing.js";

const product = (row) => ({ head: readHead(row.id), texts: [texts("en", row.title)], extra: [] });
const level = (row, warehouse) => ({
  head: readHead(row.id), variant: { key: row.sku }, warehouse, quantity: row[warehouse], unlimited: false,
});
const described = {
  id: "org.example.shop", version: "1.0.0", name: text("Shop"), vendor: "V", about: text("A"), idSpace: "shop", mappingRevision: 1, storageVersion: 1,
  abilities: [{ kind: "product", reading: { changes: true, ids: false, present: false, writes: false } }], origins: [], credentials: [],
  settingsSchema: settingsSchema({ url: { type: "string", title: "Address" }, lot: { type: "integer", title: "Lot", default: 5 } }),
  rates: [], files: false,
};
const account = {
  id: "a", name: "A", environment: "test", zone: "UTC", warehouses: [],
  channels: [{ id: "main", name: "A", currency: "EUR", basis: "net", languages: ["en"], countries: [], zone: "UTC" }],
};
const connector = (functions) => defineConnector({ describe: () => described, check: () => account, ...functions });

test("the shapes are those of the contract", () => {
  const script = fileURLToPath(new URL("../scripts/shapes.mjs", import.meta.url));
  const { status, stderr } = spawnSync(process.execPath, [script, "--check"], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
});

test("a row whose record is not the contract's is unreadable and stops no other", async () => {
  const rows = [{ id: 1, title: "Cup" }, { id: 2, title: null }, { id: 3, title: "half \ud83d" }, { id: 4, title: "Pot" }];
  const pull = async () => {
    const { records: val, unreadable } = readRows(rows, product);
    return page({ records: [{ tag: "products", val }], unreadable });
  };
  const given = await connector({ pull }).pull({});
  assert.deepEqual(given.records[0].val.map((one) => one.head.remote.id), ["1", "4"]);
  assert.deepEqual(given.unreadable[0], { id: "2", raw: '{"id":2,"title":null}', why: "texts[0].name: expected text, found null" });
  assert.deepEqual([given.unreadable[1].id, given.unreadable[1].why], ["3", "texts[0].name: the text has half a character in it"]);
});

test("a row that makes many records is unreadable as a whole", () => {
  const rows = [{ id: 1, sku: "A", ham: "1", muc: 2 }, { id: 2, sku: "B", ham: "1", muc: "2" }];
  const pull = () => {
    const { records, unreadable } = readRows(rows, (row) => [level(row, "ham"), level(row, "muc")]);
    return page({ records: [{ tag: "stock", val: records.flat() }], unreadable });
  };
  const given = connector({ pull }).pull({});
  assert.deepEqual(given.records[0].val.map((one) => [one.head.remote.id, one.warehouse]), [["2", "ham"], ["2", "muc"]]);
  assert.deepEqual(given.unreadable.map(({ id, why }) => [id, why]), [["1", "quantity: expected text, found number 2"]]);
});

test("what is of no row is refused with its place", async () => {
  const says = (functions, call, words) => assert.throws(() => call(connector(functions)), (error) => error.message === words || assert.equal(error.message, words));
  const val = [product({ id: 1, title: "Cup" }), product({ id: 2, title: undefined })];
  says({ pull: () => page({ records: [{ tag: "products", val }] }) }, (made) => made.pull({}),
    "page.records[0].products[1].texts[0].name: expected text, found undefined");
  says({ pull: () => page({ next: 7 }) }, (made) => made.pull({}), "page.next: expected text, found number 7");
  says({ pull: () => page({ records: [{ tag: "things", val }] }) }, (made) => made.pull({}),
    "page.records[0]: expected a tag of categories, products, stock, prices, customers, orders, order-events, shipments, found the text `things`");
  says({ check: () => ({ ...account, zone: undefined }) }, (made) => made.check(), "check.zone: expected text, found undefined");
  says({ find: () => [[{ remote: { id: 7 }, whole: true, parts: [] }]] }, (made) => made.find("product", []),
    "find[0][0].remote.id: expected text, found number 7");
  says({ describe: () => ({ ...described, rates: [{ name: "api", perSecond: 5, burst: 10 }] }) }, (made) => made.describe(),
    "describe.rates[0].perSecond: expected text, found number 5");
  says({ describe: () => ({ ...described, files: 0 }) }, (made) => made.describe(), "describe.files: expected true or false, found number 0");
  await assert.rejects(async () => connector({ check: async () => ({ ...account, environment: "prod" }) }).check(), /check\.environment: expected one of live, test/);
  assert.deepEqual(connector({}).check(), account);
});

test("what an item came to is compared too", async () => {
  const seen = testHost({ fetch: async () => new Response("{}") });
  await each([{ head: { item: "a" } }, { head: { item: "b" } }], ({ head }) => (head.item === "a" ? done({ id: 7 }) : done(remote(7))));
  assert.deepEqual(seen.settled.map(({ item, outcome }) => [item, outcome.tag]), [["a", "failed"], ["b", "done"]]);
  assert.match(seen.settled[0].outcome.val.val, /outcome\.done\.remote\.id: expected text, found number 7/);
  assert.throws(() => settle("c", { tag: "done", val: { remote: remote(1) } }), /outcome\.done\.parts: expected a list, found undefined/);
  assert.equal(seen.settled.length, 2);
});

test("an error that is none of the contract's says what it meant", () => {
  assert.deepEqual(contractError(ConnectorError.rejected("sku", "no")), { tag: "rejected", val: [{ path: "sku", code: null, message: "no" }] });
  const { tag, val } = contractError(ConnectorError.rejected("sku", undefined));
  assert.equal(tag, "bug");
  assert.match(val, /rejected\[0\]\.message: expected text, found undefined/);
  assert.deepEqual(contractError(ConnectorError.auth("cut \ud83d")), { tag: "auth", val: "cut \ufffd" });
  assert.deepEqual(contractError(ConnectorError.throttled(1.2)), { tag: "throttled", val: 2 });
});

test("a test's settings have the defaults of the form", () => {
  connector({});
  testHost({ settings: { url: "http://shop" } });
  assert.deepEqual(settings(), { url: "http://shop", lot: 5 });
  testHost({ settings: { url: "http://shop", lot: 9 } });
  assert.equal(settings().lot, 9);
});
