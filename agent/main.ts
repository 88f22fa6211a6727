/**
 * The agent's process: arguments, one agent a state folder, signals, logging, readiness and the exit code. Owns what belongs to a daemon
 * and nothing else: sessions and clients are agent.ts', the socket is listener.ts'.
 *
 *     agent [--state DIR] [--max-role observer|operator|admin] [--allow-root] [--foreground]
 *
 * Exit codes: 0 ended in peace, or another agent is there already; 1 failed; 2 wrong arguments; 4 a folder belongs to somebody else.
 */
import { randomBytes } from "node:crypto";
import { closeSync, fstatSync, readdirSync, readFileSync, statSync, writeSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { type Failure, fail, ok, type Result } from "../protocol/errors.js";
import type { Role } from "../protocol/values.js";
import { type Paths, paths, prepareFolders } from "../state/paths.js";
import { stateId } from "../state/state-id.js";
import { Agent } from "./agent.js";
import { OutputGuard } from "./guard.js";
import { closeInherited } from "./inherited-descriptors.js";
import { Listener } from "./listener.js";
import { type Log, openLog } from "./log.js";
import { spawnPty } from "./pty.js";
import { Screens } from "./screen.js";
import { steadyClock } from "./steady-clock.js";

interface Arguments {
  state: string | null;
  maxRole: Role;
  foreground: boolean;
}

/** Where the starter waits for our word. */
const readyDescriptor = 3;
const defaultScrollback = 1000;

function readArguments(given: string[]): Result<Arguments> {
  const read: Arguments = { state: null, maxRole: "admin", foreground: false };
  for (let at = 0; at < given.length; at += 1) {
    const name = given[at];
    const value = given[at + 1];
    if (name === "--foreground") {
      read.foreground = true;
    } else if (name === "--allow-root") {
      // Root is allowed on this machine, with a badge; the flag matters to an agent that dials a hub.
    } else if (name === "--state" && value) {
      read.state = value;
      at += 1;
    } else if (name === "--max-role" && (value === "observer" || value === "operator" || value === "admin")) {
      read.maxRole = value;
      at += 1;
    } else {
      return fail("invalid", `muxdeck agent does not understand ${JSON.stringify(name)} here.`);
    }
  }
  return ok(read);
}

async function main(): Promise<void> {
  closeInherited(process.env);
  const given = readArguments(process.argv.slice(2));
  if (!given.ok) {
    process.stderr.write(`${given.error.message}\n`);
    process.exitCode = 2;
    return;
  }
  const { state, maxRole, foreground } = given.value;
  const at = paths({ env: state === null ? process.env : { ...process.env, MUXDECK_HOME: state } });
  const prepared = prepareFolders(at);
  const identity = prepared.ok ? stateId(at.stateId) : prepared;
  if (!identity.ok) {
    giveUp(identity.error);
    return;
  }
  const log = openLog(at.logs, { echo: foreground });
  survive(log);

  // The door first: whoever finds another agent behind it must not have started anything.
  let agent: Agent | null = null;
  const opened = await Listener.open({
    at,
    clock: steadyClock,
    log,
    accept: (transport) => {
      if (agent === null) transport.terminate();
      else agent.accept(transport);
    },
  });
  if (!opened.ok) {
    if (opened.error.code !== "busy") giveUp(opened.error);
    else process.stdout.write(`The agent is already running${opened.held === null ? "" : ` as process ${opened.held}`}.\n`);
    return;
  }
  const root = process.getuid?.() === 0;
  let running: Agent;
  try {
    running = runAgent({ at, stateId: identity.value, maxRole, root, log, listener: opened.value });
  } catch (error) {
    // Damaged files: without its parts the agent must not hold the door.
    await opened.value.close();
    throw error;
  }
  agent = running;
  if (root) process.stderr.write("Muxdeck's agent runs as root: whoever reaches it is root on this machine.\n");
  // A closed terminal or a logout is no reason to end sessions.
  process.on("SIGHUP", () => {});
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      log("agent-signal", { signal });
      running.stop();
    });
  }
  sayReady();
}

/** The agent with its real parts, and their end. */
function runAgent(options: { at: Paths; stateId: string; maxRole: Role; root: boolean; log: Log; listener: Listener }): Agent {
  const { at, log, listener, root } = options;
  const screens = new Screens({ workerPath: join(dirname(fileURLToPath(import.meta.url)), "screen-worker.cjs") });
  const run = randomBytes(12).toString("hex");
  const agent = new Agent({
    clock: steadyClock,
    stateId: options.stateId,
    run,
    machine: hostname().split(".")[0] || "this machine",
    root,
    owner: ownName(),
    maxRole: options.maxRole,
    scrollback: () => configuredScrollback(at.settings),
    env: process.env,
    guard: (size) => new OutputGuard(size),
    openScreen: (of) => screens.open(of),
    spawn: spawnPty,
    log,
    stopped: () => {
      void Promise.all([screens.close(), listener.close()]).then(() => {
        log("agent-stopped", {});
        // Whatever a library still holds open must not keep an agent without sessions.
        process.exit(0);
      });
    },
  });
  log("agent-started", { root, run, socket: at.socket });
  return agent;
}

/** A fault in one place must not cost the sessions of all others: it is logged, and we go on. */
function survive(log: Log): void {
  const caught = (event: string) => (error: unknown) => {
    // Where, not what: a message may hold what somebody typed.
    const where = error instanceof Error ? (error.stack ?? "").replace(/^.*?(?=\n\s+at )/s, "").slice(0, 1500) : "";
    log(event, { name: error instanceof Error ? error.name : typeof error, where });
  };
  process.on("uncaughtException", caught("uncaught-exception"));
  process.on("unhandledRejection", caught("unhandled-rejection"));
}

function giveUp(error: Failure): void {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = error.code === "not-permitted" ? 4 : 1;
}

/** Lines of scrollback of new sessions, as the settings say; whatever is wrong with the file, its desk reports. */
function configuredScrollback(file: string): number {
  try {
    const settings = z.object({ "terminal.scrollback": z.int().min(1).max(10_000) }).safeParse(JSON.parse(readFileSync(file, "utf8")));
    return settings.success ? settings.data["terminal.scrollback"] : defaultScrollback;
  } catch {
    return defaultScrollback;
  }
}

function ownName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? "me");
  }
}

/** Tells the starter, if it gave us a descriptor to tell it on. */
function sayReady(): void {
  if (!isStarters(readyDescriptor)) return;
  try {
    writeSync(readyDescriptor, "ready\n");
    closeSync(readyDescriptor);
  } catch {
    // The starter went away; nobody waits.
  }
}

/**
 * Without a starter the runtime has its own things under this number, and closing those would end us. Its pipes have both ends here; a
 * starter's has one.
 */
function isStarters(descriptor: number): boolean {
  try {
    const own = fstatSync(descriptor);
    if (own.isSocket()) return true;
    if (!own.isFIFO()) return false;
    const twins = readdirSync("/proc/self/fd").filter((name) => Number(name) !== descriptor && inode(name) === own.ino);
    return twins.length === 0;
  } catch {
    return false;
  }
}

function inode(name: string): number | null {
  try {
    return statSync(`/proc/self/fd/${name}`).ino;
  } catch {
    return null;
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`The agent could not start: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
