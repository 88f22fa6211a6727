/**
 * `npm run dev`: builds everything, starts the app in the browser host with a state folder of its own (.cache/dev, or MUXDECK_HOME), rebuilds
 * what a change makes stale, and starts the app again when its own half changed. Every line says where it comes from. Sessions live on in
 * the agent; a changed agent is built, and used once the running one is stopped by hand.
 */
import { spawn } from "node:child_process";
import { existsSync, watch } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "./build.mjs";
import { targets } from "./build-targets.mjs";

const top = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const home = process.env.MUXDECK_HOME ?? join(top, ".cache/dev");

/** Targets whose program is the running app. */
const appTargets = new Set(["cli", "main"]);

/** Milliseconds without a change before a build: an editor writes several files at once. */
const settled = 150;

const watched = [...new Set(Object.values(targets).flatMap((target) => target.folders.map((folder) => folder.split("/")[0])))];
const names = Object.keys(targets).filter((name) => !targets[name].types);
let changed = new Set();
let timer = null;
let building = Promise.resolve();
let app = null;

function say(label, text) {
  for (const line of text.split("\n")) if (line !== "") console.log(`${label.padEnd(6)} | ${line}`);
}

async function rebuild() {
  const paths = changed;
  changed = new Set();
  const stale = names.filter((name) => targets[name].folders.some((folder) => [...paths].some((path) => path.startsWith(`${folder}/`))));
  if (stale.length === 0) return;
  const { built } = await build(stale, (line) => say("build", line));
  if (built.includes("agent")) say("agent", "built; `muxdeck agent stop` ends the running one and its sessions, the next is the new one");
  if (built.some((name) => appTargets.has(name))) await startApp();
  else if (built.includes("renderer")) say("page", "built; reload the page");
}

async function startApp() {
  if (app !== null) {
    const ended = new Promise((done) => app.once("exit", done));
    app.kill("SIGTERM");
    await ended;
  }
  app = spawn(process.execPath, [join(top, "bin/muxdeck.js"), "serve", "--no-open"], { env: { ...process.env, MUXDECK_HOME: home } });
  for (const stream of [app.stdout, app.stderr]) stream.on("data", (bytes) => say("app", bytes.toString()));
  app.once("exit", (code, signal) => say("app", `ended (${signal ?? code})`));
}

for (const folder of watched.filter((name) => existsSync(join(top, name)))) {
  watch(join(top, folder), { recursive: true }, (_event, file) => {
    if (file === null || /\.test\.tsx?$/.test(file)) return;
    changed.add(`${folder}/${file}`);
    clearTimeout(timer);
    timer = setTimeout(() => {
      building = building.then(rebuild);
    }, settled);
  });
}
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => {
    app?.kill("SIGTERM");
    process.exit(0);
  });
}
await build(names, (line) => say("build", line));
await startApp();
