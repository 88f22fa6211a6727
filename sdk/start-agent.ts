/**
 * Reaches this machine's agent, starting it on demand and detached from us. Owns the start and waiting for the socket to answer. What is
 * said to the agent afterwards is the connection's; which files it runs from is agent-copy.ts's.
 *
 * Descriptor 3 of the agent is a pipe to us: it writes one line there once it listens. One that finds another agent ends in peace.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { hostname } from "node:os";
import { join, resolve } from "node:path";
import { performance } from "node:perf_hooks";
import { Readable } from "node:stream";
import { Connection } from "../client/connection.js";
import { fail, ok, type Result } from "../protocol/errors.js";
import type { ClientHello } from "../protocol/messages.js";
import { type Paths, paths, prepareFolders } from "../state/paths.js";
import { stateId } from "../state/state-id.js";
import { dialUnixSocket } from "../transport/node/unix-socket.js";
import type { Transport } from "../transport/transport.js";
import { builtAgentFolder, copyAgent } from "./agent-copy.js";
import { nodeClock } from "./node-clock.js";
import { ownDescriptors } from "./own-descriptors.js";

type Environment = Readonly<Record<string, string | undefined>>;

export interface DialOptions {
  /** Decides the home (MUXDECK_HOME, XDG folders) and is the agent's environment when it is started. Defaults to this process's. */
  env?: Environment;
  /** `demand` (default): start the agent where none answers. `never`: fail with `unreachable`. */
  start?: "demand" | "never";
  /** Folder of the built agent (agent.cjs, screen-worker.cjs). Defaults to `../agent` beside the built file that runs. */
  agentFolder?: string;
  /** Words for the agent's own command line, where it is started. */
  agentArguments?: readonly string[];
}

export interface LocalOptions extends DialOptions {
  /** Who connects: shown to others in the same session. */
  client: ClientHello["client"];
}

/** From the start of the agent's process to an answer on its socket. */
const startLimitMs = 5000;
/** A scope that has not become an agent by then never will. */
const scopeLimitMs = 2500;
/** Between two looks at a socket that another starter's agent is about to bind. */
const lookAgainMs = 50;

/**
 * A connection to this machine's agent, not opened yet (`open` or `ready`). Every try starts the agent if it died. Fails with
 * `not-permitted` when the folders belong to another user.
 */
export function openLocal(options: LocalOptions): Result<Connection> {
  const { client, ...dialOptions } = options;
  const at = paths({ env: options.env ?? process.env });
  const prepared = prepareFolders(at);
  if (!prepared.ok) return prepared;
  const id = stateId(at.stateId);
  if (!id.ok) return id;
  return ok(new Connection({ dial: () => dialLocal(at, dialOptions), clock: nodeClock, client, stateId: id.value }));
}

/** One try: connects, starts the agent where none answers, and connects again. Two programs that do this at once both succeed. */
export async function dialLocal(at: Paths, options: DialOptions = {}): Promise<Result<Transport>> {
  const first = await dialUnixSocket(at.socket);
  if (first.ok || options.start === "never") return first;
  // The folders may have gone since the last time: somebody cleaned up under a running program.
  const prepared = prepareFolders(at);
  if (!prepared.ok) return prepared;
  const built = options.agentFolder ?? builtAgentFolder();
  if (built === null) {
    return fail("unreachable", "The agent's files are not there. Build Muxdeck (npm ci) or install it again.", { scope: "connection" });
  }
  const copied = copyAgent(built, at.agentCopies);
  if (!copied.ok) return copied;
  const agent = [process.execPath, copied.value, ...(options.agentArguments ?? [])];
  const deadline = performance.now() + startLimitMs;
  const env = agentEnvironment(options.env ?? process.env);
  if (hasUserScopes(env)) {
    const scoped = await startAndDial(at, scopeCommand(agent), env, Math.min(deadline, performance.now() + scopeLimitMs));
    if (scoped.ok) return scoped;
  }
  const started = await startAndDial(at, agent, env, deadline);
  if (started.ok) return started;
  return fail(
    "unreachable",
    `The agent on ${hostname().split(".")[0]} did not start within 5 s. ${started.error.message} Its log is in ${at.logs}.`,
    {
      scope: "connection",
      retry: "later",
    },
  );
}

async function startAndDial(at: Paths, command: string[], env: Record<string, string>, deadline: number): Promise<Result<Transport>> {
  const [program = "", ...args] = command;
  const child = spawn(program, args, {
    cwd: "/",
    detached: true,
    stdio: ["ignore", "ignore", "ignore", "pipe"],
    env: { ...env, MUXDECK_STARTER_DESCRIPTORS: ownDescriptors() },
  });
  child.unref();
  const outcome = await readiness(child, deadline);
  if (outcome === "late") endGroup(child);
  for (;;) {
    const dialled = await dialUnixSocket(at.socket, { timeoutMs: Math.max(1, deadline - performance.now()) });
    // Also after a failure: another starter's agent may hold the lock and be about to listen.
    if (dialled.ok || performance.now() >= deadline || (outcome !== "ready" && outcome !== "other")) {
      return dialled.ok ? dialled : fail("unreachable", sentences[outcome], { scope: "connection", retry: "later" });
    }
    await new Promise((done) => setTimeout(done, lookAgainMs));
  }
}

/** It leads a group of its own, with whatever stood between us and the agent. */
function endGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    child.kill("SIGKILL");
  }
}

/** `ready`: it listens. `other`: it ended in peace, another agent is there. */
type Readiness = "ready" | "other" | "failed" | "late" | "no-program";
const sentences: Record<Readiness, string> = {
  ready: "It said that it listens, but its socket does not answer.",
  other: "Another agent holds its lock, but does not answer.",
  failed: "It ended at once.",
  late: "It did not become ready.",
  "no-program": "Its program could not be run.",
};

function readiness(child: ChildProcess, deadline: number): Promise<Readiness> {
  return new Promise((done) => {
    const pipe = child.stdio[3];
    const finish = (outcome: Readiness) => {
      clearTimeout(timer);
      child.removeAllListeners("exit");
      if (pipe instanceof Readable) pipe.destroy();
      done(outcome);
    };
    const timer = setTimeout(() => finish("late"), Math.max(0, deadline - performance.now()));
    child.once("error", () => finish("no-program"));
    child.once("exit", (code) => finish(code === 0 ? "other" : "failed"));
    if (pipe instanceof Readable) {
      pipe.on("error", () => {});
      pipe.once("data", () => finish("ready"));
    }
  });
}

/** Ours, without what belongs to this process alone; a relative home would mean another folder once the agent stands in `/`. */
function agentEnvironment(env: Environment): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || /^(NODE_|ELECTRON_|VITEST|npm_|MUXDECK_SESSION$)/.test(name)) continue;
    result[name] = value;
  }
  if (env.MUXDECK_HOME) result.MUXDECK_HOME = resolve(env.MUXDECK_HOME);
  if (process.versions.electron) result.ELECTRON_RUN_AS_NODE = "1";
  return result;
}

/** Whether the user's service manager runs: a process in a scope of its own is not taken along by a logout. */
function hasUserScopes(env: Record<string, string>): boolean {
  return process.platform === "linux" && !!env.XDG_RUNTIME_DIR && existsSync(join(env.XDG_RUNTIME_DIR, "systemd", "private"));
}

function scopeCommand(agent: readonly string[]): string[] {
  return ["systemd-run", "--user", "--scope", "--quiet", "--collect", "--", ...agent];
}
