// The examples of the README that stand for themselves are of the types that they say.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const sdk = fileURLToPath(new URL("..", import.meta.url));
const places = [process.env.TRADEPOST_TOOLS, sdk].filter(Boolean).map((place) => join(place, "node_modules/typescript/lib/tsc.js"));
const tsc = places.find((place) => existsSync(place));
const CONFIG = {
  compilerOptions: {
    target: "es2022", lib: ["es2023"], module: "esnext", moduleResolution: "bundler", noEmit: true, strict: true, skipLibCheck: true,
    types: ["@tradepost/sdk/globals"],
  },
};

test("examples type-check, without Node's types", { skip: !tsc && "typescript is not installed; set TRADEPOST_TOOLS" }, () => {
  const blocks = [...readFileSync(join(sdk, "README.md"), "utf8").matchAll(/```ts\n(import .*?)```/gs)].map(([, code]) => code);
  const own = blocks.filter((code) => code.includes("export const"));
  assert.ok(own.length >= 2, "the examples are there");
  const folder = mkdtempSync(join(tmpdir(), "tradepost-readme-"));
  try {
    mkdirSync(join(folder, "node_modules/@tradepost"), { recursive: true });
    symlinkSync(sdk, join(folder, "node_modules/@tradepost/sdk"));
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(CONFIG));
    own.forEach((code, at) => writeFileSync(join(folder, `example${at}.ts`), code));
    const checked = spawnSync(process.execPath, [tsc, "--project", folder], { encoding: "utf8" });
    assert.equal(checked.status, 0, checked.stdout);
    writeFileSync(join(folder, "wrong.ts"), 'import { randomUUID } from "node:crypto";\nsetTimeout(randomUUID, 5);\n');
    const wrong = spawnSync(process.execPath, [tsc, "--project", folder], { encoding: "utf8" });
    assert.match(wrong.stdout, /node:crypto.*\n.*setTimeout/, "what is not there where connectors run has no types");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
