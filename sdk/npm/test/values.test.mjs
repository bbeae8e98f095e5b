import assert from "node:assert/strict";
import { test } from "node:test";
import { TextDecoder as Decoder, TextEncoder as Encoder } from "../lib/text.js";
import {
  Api, asText, ConnectorError, currencyDigits, decimal, done, each, fromMinor, parseJson, readRows, remote, sameDecimal, settingsSchema, toMinor, utc,
} from "../lib/index.js";
import { testHost } from "../lib/testing.js";

test("texts are coded as everywhere", () => {
  for (const text of ["", "plain", "Grüße — 東京 😀 𝒳", "\ud800 half", "a".repeat(9000) + "é"]) {
    assert.deepEqual(new Encoder().encode(text), new TextEncoder().encode(text));
  }
  for (const bytes of [[0xef, 0xbb, 0xbf, 0x61], [0xff, 0x61], [0xe2, 0x82], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf0, 0x9f, 0x98, 0x80], [0xf5, 0x80]]) {
    assert.equal(new Decoder().decode(Uint8Array.from(bytes)), new TextDecoder().decode(Uint8Array.from(bytes)));
  }
});

test("amounts are never floats", () => {
  assert.equal(decimal("12.50"), "12.50");
  assert.equal(decimal(7), "7");
  for (const wrong of [0.1, "1e3", "", null, "1,5"]) assert.throws(() => decimal(wrong));
  assert.ok(sameDecimal("5.0", "5") && sameDecimal("-0.50", "-.5".replace("-.", "-0.")) && !sameDecimal("5.01", "5"));
});

test("a setting without a default is needed", () => {
  const schema = JSON.parse(settingsSchema({ url: { type: "string", title: "A" }, zone: { type: "string", title: "Z", default: "UTC" } }));
  assert.deepEqual(schema.required, ["url"]);
});

test("a status becomes what it means", async () => {
  const answer = (status, headers = {}) => async () => new Response("words", { status, headers });
  const fails = async (method, status, headers) => {
    testHost({ fetch: answer(status, headers) });
    const error = await new Api("http://shop").request(method, "/x").catch((error) => error);
    assert.ok(error instanceof ConnectorError, String(error));
    return error.payload;
  };
  assert.equal((await fails("GET", 401)).tag, "auth");
  assert.equal((await fails("GET", 404)).tag, "not-found");
  assert.deepEqual(await fails("PUT", 409), { tag: "conflict", val: null }, "the version is not known, and words are none");
  assert.deepEqual(await fails("GET", 429, { "retry-after": "7" }), { tag: "throttled", val: 7 });
  assert.match((await fails("POST", 422)).val[0].message, /words/);
  assert.equal((await fails("GET", 502)).tag, "unavailable");
  assert.equal((await fails("POST", 502)).tag, "timeout");
  assert.equal((await fails("POST", 200)).tag, "timeout", "an answer that cannot be read says nothing of a write");
});

test("a defect after a write that was taken leaves open what was done", async () => {
  const answers = { POST: {}, GET: {} };
  const seen = testHost({ fetch: async (url, { method }) => new Response(JSON.stringify(answers[method]), { status: 200 }) });
  const api = new Api("https://shop.example");
  const item = (item) => ({ head: { item } });
  await each([item("made"), item("read")], async ({ head }) => {
    const answer = head.item === "made" ? await api.post("/products", {}) : await api.get("/products/1");
    return done(remote(answer.id));
  });
  assert.deepEqual(seen.settled.map(({ item, outcome }) => [item, outcome.val.tag]), [["made", "timeout"], ["read", "bug"]]);
  assert.throws(() => readRows(undefined, (row) => row), (error) => error.payload.tag === "unavailable");
});

test("an answer that says nothing is none, but where that is its meaning", async () => {
  const empty = (status) => testHost({ fetch: async () => new Response(status === 204 ? null : "", { status }) });
  const api = new Api("https://shop.example");
  empty(200);
  await assert.rejects(api.get("/products"), (error) => error instanceof ConnectorError && error.payload.tag === "unavailable");
  await assert.rejects(api.put("/products/1", {}), (error) => error.payload.tag === "timeout");
  assert.equal(await api.delete("/products/1"), null);
  empty(204);
  assert.equal(await api.get("/products"), null);
});

test("an answer that cannot be read is not quoted where it is data", async () => {
  const words = async (body) => {
    testHost({ fetch: async () => new Response(body, { status: 200 }) });
    return (await new Api("https://shop.example").get("/orders").catch((error) => error)).payload.val;
  };
  assert.match(await words("<h1>Back soon</h1>"), /Back soon/);
  const told = await words(`[{"iban": "DE02120300000000202051", "note": "${"x".repeat(100)}`);
  assert.ok(told.endsWith("characters of JSON") && !told.includes("DE02"), told);
});

test("a platform's own words are read by who knows them", async () => {
  const explain = (status, body) => (status === 409 ? ConnectorError.rejected(body.field, body.error, "taken") : body?.error);
  const fails = async (status, body, options) => {
    testHost({ fetch: async () => new Response(body, { status }) });
    return (await new Api("http://shop", { explain, ...options }).post("/x", {}).catch((error) => error)).payload;
  };
  assert.deepEqual(await fails(409, '{"field":"sku","error":"taken"}'), { tag: "rejected", val: [{ path: "sku", code: "taken", message: "taken" }] });
  assert.equal((await fails(422, '{"error":"price is a whole number"}')).val[0].message, "HTTP 422: price is a whole number");
  assert.equal((await fails(422, "no JSON")).val[0].message, "HTTP 422: no JSON");
  assert.equal((await fails(422, '{"error":"x"}', { explain: undefined })).val[0].message, 'HTTP 422: {"error":"x"}');
});

test("whole numbers are never rounded", async () => {
  const text = '{"id": 9007199254740993, "same": 9007199254740991, "no": [-12345678901234567890, 1.5, 1e20], "9007199254740993": "a \\" 9007199254740993"}';
  const wanted = {
    id: "9007199254740993", same: 9007199254740991, no: ["-12345678901234567890", 1.5, 1e20], "9007199254740993": 'a " 9007199254740993',
  };
  assert.deepEqual(parseJson(text), wanted);
  assert.throws(() => parseJson('{"id": 90071992547409931'), SyntaxError);
  testHost({ fetch: async () => new Response(text) });
  const row = await new Api("http://shop").get("/x");
  assert.equal(remote(row.id).id, "9007199254740993");
  const { unreadable } = readRows([row], () => asText(null, "title"));
  assert.deepEqual([unreadable[0].id, unreadable[0].why], ["9007199254740993", "title: expected text, found null"]);
  assert.match(unreadable[0].raw, /"id":"9007199254740993"/);
  assert.throws(() => remote(JSON.parse("9007199254740993")), (error) => error.payload.tag === "bug");
});

test("whole numbers are kept without an engine that tells their text, too", async () => {
  const native = JSON.parse;
  // As Node before 21 does it: a reviver gets no third argument.
  JSON.parse = (text, reviver) => native(text, reviver && ((key, value) => reviver(key, value)));
  try {
    const old = await import("../lib/json.js?old");
    assert.deepEqual(old.parseJson('["9007199254740993 \\\\", 9007199254740993]'), ["9007199254740993 \\", "9007199254740993"]);
  } finally {
    JSON.parse = native;
  }
});

test("smallest units and decimals are the same amounts", () => {
  assert.deepEqual(["EUR", "JPY", "KWD", "CLF"].map(currencyDigits), [2, 0, 3, 4]);
  const pairs = [[1050, "EUR", "10.50"], [-5, "EUR", "-0.05"], [0, "EUR", "0.00"], [700, "JPY", "700"], [1, "KWD", "0.001"], [350, 3, "0.350"]];
  for (const [units, unit, amount] of pairs) {
    assert.equal(fromMinor(units, unit), amount);
    assert.equal(toMinor(amount, unit), units);
  }
  assert.equal(fromMinor("9007199254740993", "EUR"), "90071992547409.93");
  assert.deepEqual([toMinor("29.900", "EUR"), toMinor("7", "EUR"), toMinor("-0", "EUR")], [2990, 700, 0]);
  for (const wrong of ["29.905", "900719925474099.93"]) {
    assert.throws(() => toMinor(wrong, "EUR", "total"), (error) => error.payload.tag === "rejected" && error.payload.val[0].path === "total");
  }
  for (const wrong of [10.5, "1.5", null, 2 ** 53]) assert.throws(() => fromMinor(wrong, "EUR"), TypeError);
  assert.throws(() => fromMinor(1, "euro"), TypeError);
});

test("times are UTC, exist and say their offset", () => {
  assert.equal(utc("2026-03-29T03:00:00+02:00"), "2026-03-29T01:00:00.000Z");
  assert.equal(utc("2024-02-29 23:59:59.5Z"), "2024-02-29T23:59:59.500Z");
  assert.equal(utc("2026-01-01T00:00-0330"), "2026-01-01T03:30:00.000Z");
  for (const wrong of ["2026-03-29T03:00:00", "2026-02-30T00:00:00Z", "2026-01-01T24:01:00Z", "2026-01-01", "soon", null, 5]) {
    assert.throws(() => utc(wrong), TypeError);
  }
  assert.throws(() => utc("2026-03-29T03:00:00"), /it says no offset/);
});
