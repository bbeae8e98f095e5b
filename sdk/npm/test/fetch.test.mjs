// `fetch` of components over a stand-in for the contract's `http`, and that of tests.
import assert from "node:assert/strict";
import { register } from "node:module";
import { test } from "node:test";
import { answered, ConnectorError } from "../lib/index.js";
import { testHost } from "../lib/testing.js";

const source = (text) => `data:text/javascript,${encodeURIComponent(text)}`;
register(source(`
  const url = ${JSON.stringify(source("export default globalThis.contractHttp;"))};
  export const resolve = (name, context, next) => (name.startsWith("tradepost:") ? { url, shortCircuit: true } : next(name, context));
`));
let sent = [];
globalThis.contractHttp = {
  send(request) {
    sent.push(request);
    if (request.headers.some(({ name }) => name.startsWith("tradepost-"))) throw { tag: "denied", val: "for the host" };
    return { status: 200, headers: [{ name: "x", value: "1" }], body: { tag: "bytes", val: new TextEncoder().encode("{}") }, url: request.url };
  },
};
const { fetch } = await import("../lib/fetch.js");

test("what is for the host becomes fields, however it is written", async () => {
  sent = [];
  const headers = { "Tradepost-Credential": "api", "TRADEPOST-RATE": "slow", "tradepost-Repeat": "never", "X-Shop": "7" };
  await fetch("https://shop.example/", { headers });
  const [{ credential, rate, repeat, headers: left }] = sent;
  assert.deepEqual({ credential, rate, repeat }, { credential: "api", rate: "slow", repeat: "never" });
  assert.deepEqual(left, [{ name: "x-shop", value: "7" }]);
});

test("what the host does not know is left to its refusal", async () => {
  sent = [];
  const asked = fetch("https://shop.example/", { headers: { "Tradepost-Credentials": "api" } });
  await assert.rejects(asked, (error) => error instanceof TypeError && error.payload.tag === "denied");
  assert.deepEqual(sent[0].headers, [{ name: "tradepost-credentials", value: "api" }]);
});

test("in a test a connector's own fetch gets its secret and is judged", async () => {
  const place = { api: { authorization: "Bearer t0ken" } };
  const seen = testHost({ secrets: place, fetch: async (url, { headers }) => Response.json({ token: headers.get("authorization") }) });
  const response = await globalThis.fetch("https://shop.example/", { headers: { "Tradepost-Credential": "api" } });
  assert.deepEqual(await answered(response), { token: "Bearer t0ken" });
  assert.deepEqual(seen.requests, [{ method: "GET", url: "https://shop.example/", body: null, credential: "api" }]);
  const wrong = globalThis.fetch("https://shop.example/", { headers: { "Tradepost-Credentials": "api" } });
  await assert.rejects(wrong, (error) => error.payload.tag === "denied");
  assert.equal(seen.requests.length, 1, "it was not sent");
});

test("an answer that a test gives may be fetched itself", async () => {
  testHost({ fetch: () => globalThis.fetch("data:application/json,[7]") });
  assert.deepEqual(await answered(await globalThis.fetch("https://shop.example/")), [7]);
});

test("an answer of fetch is judged by what was asked", async () => {
  const fails = async (status, request) => {
    const error = await answered(new Response("words", { status }), request).catch((error) => error);
    assert.ok(error instanceof ConnectorError, String(error));
    return error.payload.tag;
  };
  assert.equal(await fails(401), "auth");
  assert.equal(await fails(502), "unavailable");
  assert.equal(await fails(502, { method: "POST" }), "timeout");
  assert.equal(await fails(502, { method: "POST", repeat: "safe" }), "unavailable");
  assert.equal(await fails(200, { method: "POST" }), "timeout");
});
