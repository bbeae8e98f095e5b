// Generates types/ from wit/ with jco, and mends what differs in the engine that connectors run in: an absent optional
// value may be null, and 64-bit integers are numbers. `--check` compares instead of writing.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, mkdirSync, writeFileSync, cpSync } from "node:fs";
import { join } from "node:path";
import { tmpdir } from "node:os";

const here = new URL("..", import.meta.url).pathname;
const work = mkdtempSync(join(tmpdir(), "tradepost-types-"));
try {
  cpSync(join(here, "wit"), join(work, "wit"), { recursive: true });
  const jco = ["--yes", "--package=@bytecodealliance/jco@1.15.4", "jco", "guest-types", "wit", "-n", "shop", "-o", "out"];
  execFileSync("npx", jco, { cwd: work, stdio: ["ignore", "ignore", "inherit"] });
  const made = new Map();
  for (const file of readdirSync(join(work, "out/interfaces")).sort()) {
    const text = readFileSync(join(work, "out/interfaces", file), "utf8")
      .replaceAll("bigint", "number")
      .replace(/^( +\w+\?: .*),$/gm, "$1 | null,")
      .replaceAll("| undefined", "| null | undefined");
    made.set(file, text);
  }
  const target = join(here, "types");
  const there = readdirSync(target).filter((file) => file.endsWith(".d.ts"));
  if (process.argv.includes("--check")) {
    const differs = [...made].filter(([file, text]) => !there.includes(file) || readFileSync(join(target, file), "utf8") !== text);
    const left = there.filter((file) => !made.has(file));
    if (differs.length + left.length > 0) {
      console.error(`types/ is not what wit/ says: ${[...differs.map(([file]) => file), ...left].join(", ")}; run npm run types`);
      process.exitCode = 1;
    }
  } else {
    rmSync(target, { recursive: true, force: true });
    mkdirSync(target, { recursive: true });
    for (const [file, text] of made) writeFileSync(join(target, file), text);
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
