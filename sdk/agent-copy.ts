/**
 * A copy of the built agent in the state folder, one folder a build: an update or a deleted checkout must not pull the files away from
 * under a running agent. Owns finding the built files, copying them whole, and removing copies nobody can need.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { fail, ok, type Result } from "../protocol/errors.js";

/** Copies of other builds are removed when they were not started for this long. */
const keepMs = 24 * 3600 * 1000;
const entry = "agent.cjs";

/** Folder of the built agent: `agent` beside one of the folders above the file that runs (dist/sdk, dist/cli, dist/cli/chunks, dist/main). */
export function builtAgentFolder(): string | null {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (let up = 0; up < 3; up++) {
    folder = dirname(folder);
    if (existsSync(join(folder, "agent", entry))) return join(folder, "agent");
  }
  return null;
}

/** Copies the agent (and the pty library with its binary) below `copies`; returns the path of the copy's entry file. */
export function copyAgent(built: string, copies: string): Result<string> {
  try {
    const files = agentFiles(built);
    const hash = createHash("sha256").update(`${process.platform}-${process.arch}\n`);
    for (const [name, from] of files) hash.update(`${name}\n`).update(readFileSync(from));
    const folder = join(copies, hash.digest("hex").slice(0, 24));
    if (!existsSync(join(folder, entry))) copyWhole(files, folder);
    const now = new Date();
    utimesSync(folder, now, now);
    removeOld(copies, folder);
    return ok(join(folder, entry));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return fail("internal", `The agent's files could not be copied to ${copies}: ${reason}. Check the disk, or install Muxdeck again.`, {
      scope: "connection",
    });
  }
}

/** Name in the copy -> path of the original, in a fixed order. */
function agentFiles(built: string): Map<string, string> {
  const files = new Map<string, string>();
  for (const name of readdirSync(built).sort()) {
    if (name.endsWith(".cjs")) files.set(name, join(built, name));
  }
  const library = dirname(createRequire(join(built, entry)).resolve("@lydell/node-pty"));
  addFolder(files, "node_modules/@lydell/node-pty", library);
  const platform = `node-pty-${process.platform}-${process.arch}`;
  addFolder(files, `node_modules/@lydell/${platform}`, join(dirname(library), platform));
  return files;
}

function addFolder(files: Map<string, string>, name: string, folder: string): void {
  for (const item of readdirSync(folder, { withFileTypes: true }).sort((one, other) => (one.name < other.name ? -1 : 1))) {
    if (item.isDirectory()) addFolder(files, `${name}/${item.name}`, join(folder, item.name));
    else if (!/\.(md|ts|map)$/.test(item.name)) files.set(`${name}/${item.name}`, join(folder, item.name));
  }
}

/** The folder appears under its name with everything in it, or not at all; of two that copy at once, the first wins. */
function copyWhole(files: Map<string, string>, folder: string): void {
  const draft = `${folder}.${process.pid}.${Date.now()}`;
  try {
    for (const [name, from] of files) {
      const to = join(draft, name);
      mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
      const bytes = readFileSync(from);
      writeFileSync(to, bytes, { mode: 0o600 });
      if (statSync(to).size !== bytes.length) throw new Error("the disk is full");
    }
    renameSync(draft, folder);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    if (!existsSync(join(folder, entry))) throw error;
  }
}

function removeOld(copies: string, keep: string): void {
  for (const name of readdirSync(copies)) {
    const folder = join(copies, name);
    if (folder === keep) continue;
    try {
      if (Date.now() - statSync(folder).mtimeMs > keepMs) rmSync(folder, { recursive: true, force: true });
    } catch {
      // Another start removes it at the same time.
    }
  }
}
