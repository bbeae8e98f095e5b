import assert from "node:assert/strict";
import { test } from "node:test";
import { TextDecoder as Decoder, TextEncoder as Encoder } from "../lib/text.js";
import { Api, ConnectorError, decimal, done, each, readRows, remote, sameDecimal, settingsSchema } from "../lib/index.js";
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
  assert.equal((await fails("PUT", 409)).tag, "conflict");
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
