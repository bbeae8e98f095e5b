import assert from "node:assert/strict";
import { test } from "node:test";
import { CallPromise, drain } from "../lib/promise.js";

/** What esbuild makes of an async function. */
function run(generator) {
  return new CallPromise((resolve, reject) => {
    const step = (turn) => (turn.done ? resolve(turn.value) : CallPromise.resolve(turn.value).then(next, fail));
    const guard = (act) => {
      try {
        step(act());
      } catch (error) {
        reject(error);
      }
    };
    const next = (value) => guard(() => generator.next(value));
    const fail = (reason) => guard(() => generator.throw(reason));
    next();
  });
}

function ended(promise) {
  drain();
  return CallPromise.inspect(promise);
}

test("a function that waits is driven to its end", () => {
  const sum = run((function* () {
    let total = 0;
    for (let n = 0; n < 20000; n++) total += yield CallPromise.resolve(1);
    return total;
  })());
  assert.deepEqual(ended(sum), ["fulfilled", 20000]);
});

test("what is thrown is caught where it is waited for", () => {
  const caught = run((function* () {
    try {
      yield CallPromise.reject(new Error("no"));
    } catch (error) {
      return error.message;
    }
  })());
  assert.deepEqual(ended(caught), ["fulfilled", "no"]);
});

test("jobs run in the order of the language", async () => {
  const order = (P, log) => {
    P.resolve().then(() => log.push("a")).then(() => log.push("c"));
    P.resolve().then(() => log.push("b"));
    log.push("first");
  };
  const [ours, theirs] = [[], []];
  order(CallPromise, ours);
  drain();
  order(Promise, theirs);
  await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual(ours, theirs);
});

test("many at a time", () => {
  const three = CallPromise.all([1, CallPromise.resolve(2), new CallPromise((resolve) => resolve(3))]);
  assert.deepEqual(ended(three), ["fulfilled", [1, 2, 3]]);
  assert.deepEqual(ended(CallPromise.any([CallPromise.reject(1), 2])), ["fulfilled", 2]);
  assert.deepEqual(ended(CallPromise.allSettled([CallPromise.reject(1)])), ["fulfilled", [{ status: "rejected", reason: 1 }]]);
  assert.equal(ended(CallPromise.any([CallPromise.reject(1)]))[0], "rejected");
});

test("what never comes stays pending", () => {
  assert.deepEqual(ended(new CallPromise(() => {})), ["pending", undefined]);
});
