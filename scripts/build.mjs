/**
 * Builds the named targets (all without a name) into dist/. One vite build an entry, in turn: the bundler uses both cores by itself.
 * A target whose entry does not exist is skipped with a line. Every file is written beside its place and renamed into it, and only when it
 * changed, so that a program that is being started never reads half of one. Refuses unknown names.
 */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join, relative, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { targets } from "./build-targets.mjs";

const top = resolve(dirname(fileURLToPath(import.meta.url)), "..");

/** Stay outside every bundle: one is a native module with its binary beside it, the other is provided by the runtime that starts us. */
const external = ["@lydell/node-pty", "electron"];

/** ws loads two optional native modules unless told not to; a bundle has neither. */
const define = { "process.env.WS_NO_BUFFER_UTIL": '"1"', "process.env.WS_NO_UTF_8_VALIDATE": '"1"' };

/**
 * @param {string[]} names targets to build
 * @param {(line: string) => void} say
 * @returns {Promise<{ built: string[], failed: string[], skipped: string[] }>}
 */
export async function build(names, say = console.log) {
  const result = { built: [], failed: [], skipped: [] };
  for (const name of names) {
    const target = targets[name];
    const entries = target.entries.filter((entry) => existsSync(join(top, entry.from)));
    for (const entry of target.entries) {
      if (!entries.includes(entry)) say(`build ${name}: skipped ${entry.to}, there is no ${entry.from}`);
    }
    if (entries.length === 0) {
      result.skipped.push(name);
      continue;
    }
    const started = Date.now();
    try {
      if (target.types) buildTypes();
      else for (const entry of entries) await buildEntry(target, entry);
      for (const name of target.beside ?? []) copyPackage(name, join(top, dirname(target.entries[0].to)));
      result.built.push(name);
      say(`build ${name}: ${entries.map((entry) => entry.to).join(", ")} in ${Date.now() - started} ms`);
    } catch (error) {
      result.failed.push(name);
      say(`build ${name}: failed\n${error instanceof Error ? error.message : error}`);
    }
  }
  return result;
}

async function buildEntry(target, entry) {
  const vite = await import("vite");
  const output = target.page ? await pageOutput(vite, target) : await programOutput(vite, target, entry);
  const folder = join(top, dirname(entry.to));
  const written = new Set(output.map((file) => join(folder, file.fileName)));
  for (const file of output) {
    writeIfChanged(join(folder, file.fileName), file.type === "chunk" ? Buffer.from(file.code) : Buffer.from(file.source));
  }
  if (target.split) removeOthers(join(folder, "chunks"), written);
  if (target.page) removeOthers(folder, written);
}

/** A program for Node or for the preload's sandbox: everything in one file, or chunks with stable names where the target splits. */
async function programOutput(vite, target, entry) {
  const forBrowser = target.level.startsWith("chrome");
  const result = await vite.build({
    root: top,
    configFile: false,
    logLevel: "warn",
    publicDir: false,
    define,
    resolve: { conditions: forBrowser ? ["browser", "module", "import", "default"] : ["node", "module", "import", "default"] },
    ssr: { target: forBrowser ? "webworker" : "node", noExternal: true, external: forBrowser ? [] : external },
    build: {
      write: false,
      ssr: join(top, entry.from),
      target: target.level,
      minify: false,
      reportCompressedSize: false,
      rolldownOptions: {
        external,
        output: {
          format: entry.format,
          entryFileNames: basename(entry.to),
          chunkFileNames: "chunks/[name].js",
          ...(target.split ? {} : { codeSplitting: false }),
        },
      },
    },
  });
  return outputsOf(result);
}

async function pageOutput(vite, target) {
  const { default: react } = await import("@vitejs/plugin-react");
  const result = await vite.build({
    root: join(top, "renderer"),
    configFile: false,
    logLevel: "warn",
    publicDir: false,
    base: "./",
    plugins: [react()],
    build: {
      write: false,
      target: target.level,
      cssTarget: target.level,
      assetsInlineLimit: 0,
      reportCompressedSize: false,
      chunkSizeWarningLimit: 4096,
      modulePreload: { polyfill: false },
    },
  });
  return outputsOf(result);
}

function outputsOf(result) {
  return (Array.isArray(result) ? result : [result]).flatMap((part) => part.output);
}

/**
 * The declarations behind both doors of the package: TypeScript takes the kind of a declaration file from the package.json above it, so the
 * same tree is laid down once as ES modules and once as CommonJS.
 */
function buildTypes() {
  const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
  const compile = (more) => {
    const run = spawnSync(process.execPath, [tsc, "-b", "sdk", ...more], { cwd: top, encoding: "utf8" });
    if (run.status !== 0) throw new Error(run.stdout + run.stderr);
  };
  compile([]);
  // The compiler remembers in .cache that it has written them; dist/ may have been emptied since.
  if (!targets.types.folders.every((folder) => existsSync(join(top, "dist/types", folder)))) compile(["--force"]);
  for (const [kind, type] of [
    ["esm", "module"],
    ["cjs", "commonjs"],
  ]) {
    const next = join(top, `dist/sdk/types/${kind}.${process.pid}`);
    for (const folder of targets.types.folders) cpSync(join(top, "dist/types", folder), join(next, folder), { recursive: true });
    writeFileSync(join(next, "package.json"), `${JSON.stringify({ type })}\n`);
    const place = join(top, `dist/sdk/types/${kind}`);
    rmSync(place, { recursive: true, force: true });
    renameSync(next, place);
  }
}

/** A package without its dependencies; one for another platform is not installed and not missed. */
function copyPackage(name, folder) {
  const source = join(top, "node_modules", name);
  if (!existsSync(source)) return;
  for (const item of readdirSync(source, { withFileTypes: true, recursive: true })) {
    if (!item.isFile()) continue;
    const path = join(item.parentPath, item.name);
    writeIfChanged(join(folder, "node_modules", name, relative(source, path)), readFileSync(path));
  }
}

function writeIfChanged(path, bytes) {
  if (existsSync(path) && readFileSync(path).equals(bytes)) return;
  mkdirSync(dirname(path), { recursive: true });
  const next = `${path}.${process.pid}`;
  writeFileSync(next, bytes);
  renameSync(next, path);
}

function removeOthers(folder, keep) {
  if (!existsSync(folder)) return;
  for (const item of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    const path = join(item.parentPath, item.name);
    if (item.isFile() && !keep.has(path)) rmSync(path);
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const names = process.argv.slice(2);
  const unknown = names.filter((name) => !Object.hasOwn(targets, name));
  if (unknown.length > 0) {
    console.error(`build: no target ${unknown.join(", ")}; there are ${Object.keys(targets).join(", ")}`);
    process.exit(2);
  }
  const { failed } = await build(names.length > 0 ? names : Object.keys(targets));
  if (failed.length > 0) process.exitCode = 1;
}
