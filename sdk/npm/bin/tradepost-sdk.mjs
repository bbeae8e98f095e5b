#!/usr/bin/env node
// Builds and tests a connector; `cargo tradepost build` calls it. The programs it needs are looked for in the project, then
// in the folder TRADEPOST_TOOLS, where `cargo tradepost` installs them.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const sdk = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const project = process.cwd();
const tools = process.env.TRADEPOST_TOOLS;
const [command, ...rest] = process.argv.slice(2);
const options = Object.fromEntries(rest.map((word) => word.replace(/^--/, "").split("=")));

function fail(message) {
  console.error(`error: ${message}`);
  process.exit(1);
}

/** A package from the project or from the folder of tools. */
function find(name) {
  for (const place of [project, tools].filter(Boolean)) {
    try {
      return createRequire(join(place, "package.json")).resolve(name);
    } catch {
      // The next place may have it.
    }
  }
  return fail(`${name} is not installed; run \`cargo tradepost build\`, or \`npm install --save-dev ${name}\``);
}

async function load(name) {
  const made = await import(pathToFileURL(find(name)).href);
  return made.default ?? made;
}

const nodePaths = [join(project, "node_modules"), tools && join(tools, "node_modules")].filter(Boolean);
// The project's own copy of the SDK, whatever the file that imports it.
const alias = { "@tradepost/sdk": join(sdk, "lib/index.js"), "@tradepost/sdk/testing": join(sdk, "lib/testing.js") };

async function build() {
  const entry = resolve(options.entry ?? "src/connector.ts");
  const out = resolve(options.out ?? "dist/connector.wasm");
  const world = options.world ?? "shop";
  if (!existsSync(entry)) fail(`there is no ${entry}`);
  check("tsconfig.json");
  const esbuild = await load("esbuild");
  const wrapped = `
    import "${join(sdk, "lib/globals.js")}";
    import { exportsOf } from "${join(sdk, "lib/component.js")}";
    import made from ${JSON.stringify(entry)};
    const { connector, source, target } = exportsOf(made);
    export { connector${world === "writer" ? "" : ", source"}${world === "reader" ? "" : ", target"} };`;
  const bundled = await esbuild.build({
    stdin: { contents: wrapped, resolveDir: project, sourcefile: "component.js" },
    bundle: true,
    write: false,
    format: "esm",
    target: "es2022",
    // Driven by the SDK's promises: the engine runs no jobs of its own.
    supported: { "async-await": false, "async-generator": false, "for-await": false },
    external: ["tradepost:*"],
    alias,
    nodePaths,
    minifySyntax: true,
    minifyWhitespace: true,
    charset: "utf8",
    logLevel: "warning",
  }).catch(() => process.exit(1));
  const { componentize } = await load("componentize-qjs");
  const { component } = await componentize({
    witPath: join(sdk, "wit"),
    world,
    jsSource: bundled.outputFiles[0].text,
    sync: true,
    optSize: true,
  }).catch((error) => fail(`the component cannot be made: ${error.message ?? error}`));
  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(`${out}.new`, component);
  renameSync(`${out}.new`, out);
}

/** Compares types, where the project has this tsconfig. `TRADEPOST_UNCHECKED` leaves that out. */
function check(config) {
  if (options.check === "no" || process.env.TRADEPOST_UNCHECKED || !existsSync(config)) return;
  const tsc = find("typescript/lib/tsc.js");
  const checked = spawnSync(process.execPath, [tsc, "--noEmit", "--pretty", "false", "--project", config], { stdio: "inherit" });
  if (checked.status !== 0) process.exit(1);
}

async function test() {
  const folder = resolve(options.folder ?? "test");
  // Tests have a configuration of their own: they run in Node, and what is wrong in them stops no build.
  check(["test/tsconfig.json", "tsconfig.json"].find((config) => existsSync(config)) ?? "tsconfig.json");
  const esbuild = await load("esbuild");
  const entryPoints = readdirSync(folder).filter((name) => /\.test\.[tj]s$/.test(name)).map((name) => join(folder, name));
  if (entryPoints.length === 0) fail(`there is no *.test.ts in ${folder}`);
  mkdirSync(join(project, "node_modules"), { recursive: true });
  const outdir = mkdtempSync(join(project, "node_modules/.tradepost-test-"));
  try {
    await esbuild.build({
      entryPoints, outdir, bundle: true, platform: "node", format: "esm", outExtension: { ".js": ".mjs" }, sourcemap: "inline",
      alias, nodePaths, logLevel: "warning",
    }).catch(() => process.exit(1));
    const made = readdirSync(outdir).filter((name) => name.endsWith(".mjs")).map((name) => join(outdir, name));
    const ran = spawnSync(process.execPath, ["--enable-source-maps", "--test", ...made], { stdio: "inherit" });
    process.exitCode = ran.status ?? 1;
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}

const version = () => console.log(JSON.parse(readFileSync(join(sdk, "package.json"), "utf8")).version);
const commands = { build, test, version };
if (!commands[command]) fail(`say tradepost-sdk build, test or version`);
await commands[command]();
