/**
 * One Muxdeck of a test's own: a folder for MUXDECK_HOME, the programs started with it, and their end. Owns every process whose environment
 * names the folder, and their children: `close` ends them by pid and waits until they are gone. Touches no other process.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { inTime, patience, until } from "./wait.js";

/** The checkout. */
export const top = join(dirname(fileURLToPath(import.meta.url)), "../..");

export interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface HomeProcess {
  pid: number;
  parent: number;
  /** Program and arguments. */
  command: string[];
}

export interface MuxdeckHome {
  readonly folder: string;
  /** What to start programs with: this process's environment, cleaned of what would lead out of the folder. */
  readonly env: Record<string, string>;
  /** Starts `muxdeck ARGS`; the caller reads from it. It ends with the home at the latest. */
  start(args: string[], env?: Record<string, string>): ChildProcess;
  /** Runs `muxdeck ARGS` to its end. */
  run(args: string[], options?: { input?: string | Uint8Array; env?: Record<string, string>; within?: number }): Promise<Finished>;
  /** The processes alive now whose environment names this folder, and everything they started. */
  processes(): HomeProcess[];
  /** Those of them that are agents. */
  agents(): HomeProcess[];
  /** Ends all of them and removes the folder. */
  close(): Promise<void>;
}

/** Variables that would make a program under test leave its home or behave as something else. */
const dropped = ["MUXDECK_SESSION", "MUXDECK_HOME", "ELECTRON_RUN_AS_NODE", "NODE_OPTIONS", "XDG_RUNTIME_DIR", "VITEST", "TMUX"];

export function createHome(): MuxdeckHome {
  const folder = mkdtempSync(join(tmpdir(), "muxdeck-"));
  const env: Record<string, string> = { LANG: "C.UTF-8" };
  for (const [name, value] of Object.entries(process.env)) if (value !== undefined && !dropped.includes(name)) env[name] = value;
  env.MUXDECK_HOME = folder;
  // Login shells read nothing of the tester's: what those files start may take minutes, and a killed shell leaves its locks to the next.
  env.HOME = folder;
  env.SHELL = "/bin/bash";

  const start = (args: string[], more: Record<string, string> = {}): ChildProcess =>
    spawn(process.execPath, [join(top, "bin/muxdeck.js"), ...args], {
      cwd: folder,
      env: { ...env, ...more },
      stdio: ["pipe", "pipe", "pipe"],
    });

  return {
    folder,
    env,
    start,
    run: (args, options = {}) => finish(start(args, options.env), `muxdeck ${args.join(" ")}`, options.input, options.within ?? patience),
    processes: () => processesOf(folder),
    agents: () => processesOf(folder).filter((entry) => entry.command.some((word) => word.endsWith("agent.cjs"))),
    close: async () => {
      await endAll(folder);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function finish(child: ChildProcess, what: string, input: string | Uint8Array | undefined, within: number): Promise<Finished> {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout?.on("data", (bytes: Buffer) => out.push(bytes));
  child.stderr?.on("data", (bytes: Buffer) => err.push(bytes));
  child.stdin?.on("error", () => {});
  child.stdin?.end(input ?? "");
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code));
  });
  try {
    const code = await inTime(`the end of ${what}`, ended, within);
    return { code, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() };
  } catch (error) {
    child.kill("SIGKILL");
    throw new Error(`${error instanceof Error ? error.message : error}\n${Buffer.concat(out)}${Buffer.concat(err)}`);
  }
}

function processesOf(folder: string): HomeProcess[] {
  const all = new Map<number, HomeProcess>();
  const ours = new Set<number>();
  const mark = `MUXDECK_HOME=${folder}\0`;
  for (const name of readdirSync("/proc")) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (fields[0] === "Z") continue;
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").filter(Boolean);
      all.set(pid, { pid, parent: Number(fields[1]), command });
      if (`${readFileSync(`/proc/${pid}/environ`, "utf8")}\0`.includes(mark)) ours.add(pid);
    } catch {
      // It ended between two reads, or belongs to someone else: either way it is none of ours.
    }
  }
  const belongs = (entry: HomeProcess): boolean => {
    for (let next: HomeProcess | undefined = entry; next !== undefined; next = all.get(next.parent)) if (ours.has(next.pid)) return true;
    return false;
  };
  return [...all.values()].filter(belongs);
}

/** Asks first, so that agents end their sessions; what is still there after a second is killed. */
async function endAll(folder: string): Promise<void> {
  const known = new Map<number, string>();
  const look = (): HomeProcess[] => {
    const found = processesOf(folder);
    for (const entry of found) known.set(entry.pid, startOf(entry.pid));
    return found;
  };
  signalAll(look(), "SIGTERM");
  await until("the programs of the test to end", () => look().length === 0, 1000).catch(() => signalAll(look(), "SIGKILL"));
  await until("the programs of the test to be gone", () => {
    const left = look();
    signalAll(left, "SIGKILL");
    return left.length === 0 && [...known].every(([pid, started]) => started === "" || startOf(pid) !== started);
  });
}

function signalAll(entries: HomeProcess[], signal: "SIGTERM" | "SIGKILL"): void {
  for (const entry of entries) {
    try {
      process.kill(entry.pid, signal);
    } catch {
      // Already gone.
    }
  }
}

/** When a process began, in ticks since boot: with its pid it names it for good. A zombie counts as gone. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? "" : (fields[19] ?? "");
  } catch {
    return "";
  }
}

/** How many descriptors a process holds open, and what each leads to; for tests of leaks. */
export function descriptorsOf(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((name) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${name}`)];
    } catch {
      return [];
    }
  });
}
