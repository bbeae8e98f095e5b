// A Promise whose jobs are run by hand. The engine of connectors has no event loop, and a call of a connector has ended
// when its function returns; all that a connector waits for (a request) is waited for by the host. So the jobs of a call
// are run to their end before it returns, in the order that the language prescribes. The build lowers async functions to
// generators, which are driven by this class. Outside of components nothing here is used.

const jobs = [];

/** Runs what waits, and what that makes wait, until nothing does. */
export function drain() {
  for (let at = 0; at < jobs.length; at++) {
    // A long list is not kept while the call goes on.
    if (at === 1024) {
      jobs.splice(0, at);
      at = 0;
    }
    jobs[at]();
  }
  jobs.length = 0;
}

export class CallPromise {
  #state = "pending";
  #value;
  #waiting = [];

  constructor(executor) {
    let decided = false;
    const once = (act) => (value) => {
      if (decided) return;
      decided = true;
      act(value);
    };
    const resolve = once((value) => this.#resolve(value));
    const reject = once((reason) => this.#settle("rejected", reason));
    try {
      executor(resolve, reject);
    } catch (error) {
      reject(error);
    }
  }

  #resolve(value) {
    if (value === this) return this.#settle("rejected", new TypeError("a promise cannot wait for itself"));
    let then;
    try {
      then = value !== null && (typeof value === "object" || typeof value === "function") ? value.then : undefined;
    } catch (error) {
      return this.#settle("rejected", error);
    }
    if (typeof then !== "function") return this.#settle("fulfilled", value);
    jobs.push(() => new CallPromise((resolve, reject) => then.call(value, resolve, reject)).then(
      (inner) => this.#settle("fulfilled", inner),
      (reason) => this.#settle("rejected", reason),
    ));
  }

  #settle(state, value) {
    this.#state = state;
    this.#value = value;
    for (const job of this.#waiting.splice(0)) jobs.push(job);
  }

  then(fulfilled, rejected) {
    return new CallPromise((resolve, reject) => {
      const job = () => {
        const act = this.#state === "fulfilled" ? fulfilled : rejected;
        if (typeof act !== "function") {
          return this.#state === "fulfilled" ? resolve(this.#value) : reject(this.#value);
        }
        try {
          resolve(act(this.#value));
        } catch (error) {
          reject(error);
        }
      };
      if (this.#state === "pending") this.#waiting.push(job);
      else jobs.push(job);
    });
  }

  catch(rejected) {
    return this.then(undefined, rejected);
  }

  finally(act) {
    const after = (go) => (value) => CallPromise.resolve(act()).then(() => go(value));
    return this.then(after((value) => value), after((reason) => { throw reason; }));
  }

  get [Symbol.toStringTag]() {
    return "Promise";
  }

  /** What became of it: `[state, value]`. */
  static inspect(promise) {
    return [promise.#state, promise.#value];
  }

  static resolve(value) {
    return value instanceof CallPromise ? value : new CallPromise((resolve) => resolve(value));
  }

  static reject(reason) {
    return new CallPromise((_, reject) => reject(reason));
  }

  static withResolvers() {
    const made = {};
    made.promise = new CallPromise((resolve, reject) => Object.assign(made, { resolve, reject }));
    return made;
  }

  static try(act, ...args) {
    return new CallPromise((resolve) => resolve(act(...args)));
  }

  static all(values) {
    return collect(values, (promise, keep, end, fail) => promise.then(keep, fail));
  }

  static allSettled(values) {
    return collect(values, (promise, keep) => promise.then(
      (value) => keep({ status: "fulfilled", value }),
      (reason) => keep({ status: "rejected", reason }),
    ));
  }

  static any(values) {
    const turned = collect(values, (promise, keep, end, fail) => promise.then(fail, keep));
    return turned.then((errors) => { throw new AggregateError(errors, "all promises were rejected"); }, (value) => value);
  }

  static race(values) {
    return new CallPromise((resolve, reject) => {
      for (const value of values) CallPromise.resolve(value).then(resolve, reject);
    });
  }
}

function collect(values, watch) {
  return new CallPromise((resolve, reject) => {
    const all = [...values];
    const kept = new Array(all.length);
    let open = all.length;
    if (open === 0) resolve(kept);
    all.forEach((value, at) => watch(CallPromise.resolve(value), (result) => {
      kept[at] = result;
      if (--open === 0) resolve(kept);
    }, resolve, reject));
  });
}
