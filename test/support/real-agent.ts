/**
 * A real agent process of a test's own, and hand-made clients on its socket. Owns the start and the wait for its word; the processes end
 * with the home they belong to. MUXDECK_TEST_AGENT names another built agent than dist's.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { type Paths, paths } from "../../state/paths.js";
import { dialUnixSocket } from "../../transport/node/unix-socket.js";
import { type MuxdeckHome, top } from "./muxdeck-home.js";
import { RawClient } from "./raw-client.js";
import { inTime } from "./wait.js";

export interface RealAgent {
  readonly process: ChildProcess;
  readonly pid: number;
  readonly at: Paths;
  /** Everything it printed so far. */
  output(): string;
  /** Its exit code, once it has ended; a signal's name where that ended it. */
  readonly ended: Promise<number | string>;
  /** A client that has said nothing yet. */
  dial(): Promise<RawClient>;
  /** A client after its hello. */
  client(): Promise<RawClient>;
}

export interface AgentStart {
  /** Another built agent. */
  program?: string;
  args?: string[];
  env?: Record<string, string>;
  /** What to run the agent with, in front of its own command: `setpriv …`, `sh -c 'ulimit …; exec "$@"' sh`. */
  through?: string[];
}

export const builtAgent = process.env.MUXDECK_TEST_AGENT ?? join(top, "dist/agent/agent.cjs");

/** Agents started and not yet ended. */
const alive = new Map<ChildProcess, Promise<unknown>>();

/** Ends every agent this file started, also those outside their test's home; for `afterEach`. */
export async function endAgents(): Promise<void> {
  for (const [child, ended] of [...alive]) {
    child.kill("SIGTERM");
    await inTime("the agent's end", ended, 10_000).catch(() => child.kill("SIGKILL"));
  }
}

/** Starts one; resolves when it says that it is ready, or when it has ended. */
export async function startAgent(home: Pick<MuxdeckHome, "env">, start: AgentStart = {}): Promise<RealAgent & { ready: boolean }> {
  if (!existsSync(builtAgent)) throw new Error(`${builtAgent} is not there: run node scripts/build.mjs agent`);
  const env = { ...home.env, ...start.env };
  const [program = "", ...args] = [...(start.through ?? []), process.execPath, start.program ?? builtAgent, ...(start.args ?? [])];
  const child = spawn(program, args, { cwd: "/", env, stdio: ["ignore", "pipe", "pipe", "pipe"] });
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (bytes: Buffer) => (printed = printed + bytes.toString()));
  const ended = new Promise<number | string>((done, fail) => {
    child.once("error", fail);
    child.once("close", (code, signal) => done(code ?? signal ?? "gone"));
  });
  alive.set(child, ended);
  void ended.catch(() => {}).then(() => alive.delete(child));
  const word = new Promise<boolean>((done) => {
    const pipe = child.stdio[3];
    if (!(pipe instanceof Readable)) return;
    pipe.once("data", () => done(true));
    pipe.on("error", () => {});
  });
  const ready = await inTime("the agent's word", Promise.race([word, ended.then(() => false)]));
  const at = paths({ env });
  const dial = async (): Promise<RawClient> => {
    const dialled = await dialUnixSocket(at.socket);
    if (!dialled.ok) throw new Error(dialled.error.message);
    return new RawClient(dialled.value);
  };
  return {
    process: child,
    pid: child.pid ?? 0,
    at,
    ready,
    ended,
    output: () => printed,
    dial,
    client: async () => {
      const client = await dial();
      await client.greet();
      return client;
    },
  };
}
