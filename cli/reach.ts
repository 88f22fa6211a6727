/**
 * The way from a command to the agent of the machine that was asked for, and to one of its sessions. Owns choosing the machine, telling an
 * agent that does not run from one that does not answer, and finding a session by id, prefix or name. Starts an agent only for commands
 * that need a new one.
 */
import { hostname, userInfo } from "node:os";
import type { Connection, RequestFields } from "../client/connection.js";
import { type Failure, fail, failure, ok, type Result } from "../protocol/errors.js";
import type { ReplyValue, RequestType } from "../protocol/messages.js";
import type { SessionEntry } from "../protocol/values.js";
import { openLocal } from "../sdk/start-agent.js";
import { isHeld, readLock } from "../state/lock-file.js";
import { type Paths, paths } from "../state/paths.js";
import { printable } from "./printable.js";

export interface Reach {
  readonly connection: Connection;
  readonly machine: string;
  request<T extends RequestType>(type: T, fields: RequestFields<T>): Promise<Result<ReplyValue<T>>>;
  /** A session by id, unique id prefix, or name: the running one's, else the newest ended one's. */
  session(ref: string): Promise<Result<SessionEntry>>;
  /** Called once if the agent ends under us; its sessions are then gone. */
  onGone(handler: (error: Failure) => void): void;
  close(): Promise<void>;
}

/** This computer's name without its domain. */
export function localMachine(): string {
  return hostname().split(".")[0] || "localhost";
}

export function localPaths(): Paths {
  return paths({ env: process.env });
}

/** The machine that is meant; today there is one. Exact, then by a prefix. */
export function chooseMachine(wanted: string | null): Result<string> {
  const own = localMachine();
  if (wanted === null || (wanted !== "" && own.startsWith(wanted))) return ok(own);
  return fail("not-found", `No machine is named ${printable(wanted)}. Nothing was done. \`muxdeck machines ls\` shows them.`);
}

/** Whether an agent runs for these paths, whether or not it answers just now. */
export async function agentRuns(at: Paths): Promise<boolean> {
  const holder = readLock(at.agentLock);
  return holder !== null && (await isHeld(holder));
}

/**
 * Connects. `demand` starts an agent where none runs; `never` gives null instead. Failures: `not-found` (no such machine), and those of
 * the link: `unreachable`, `version`, `not-permitted`.
 */
export async function reach(machine: string | null, start: "demand" | "never"): Promise<Result<Reach | null>> {
  const chosen = chooseMachine(machine);
  if (!chosen.ok) return chosen;
  const at = localPaths();
  if (start === "never" && !(await agentRuns(at))) return ok(null);
  const opened = openLocal({ client: { kind: "cli", name: clientName() }, start });
  if (!opened.ok) return opened;
  const connection = opened.value;
  const ready = await connection.ready();
  if (!ready.ok) {
    await connection.close();
    return ready;
  }
  return ok(new LocalReach(connection, ready.value.machine, at));
}

/** For commands about a session: without an agent there is none. */
export async function reachSession(machine: string | null, ref: string): Promise<Result<{ at: Reach; entry: SessionEntry }>> {
  const reached = await reach(machine, "never");
  if (!reached.ok) return reached;
  if (reached.value === null) return noSession(localMachine(), ref);
  const entry = await reached.value.session(ref);
  if (entry.ok) return ok({ at: reached.value, entry: entry.value });
  await reached.value.close();
  return entry;
}

class LocalReach implements Reach {
  readonly connection: Connection;
  readonly machine: string;
  readonly #at: Paths;
  #gone: ((error: Failure) => void) | null = null;

  constructor(connection: Connection, machine: string, at: Paths) {
    this.connection = connection;
    this.machine = machine;
    this.#at = at;
    connection.onState((state) => {
      if (state.state === "waiting" || state.state === "lost") void this.#look(state.error);
    });
  }

  request<T extends RequestType>(type: T, fields: RequestFields<T>): Promise<Result<ReplyValue<T>>> {
    return this.connection.request(type, fields);
  }

  async session(ref: string): Promise<Result<SessionEntry>> {
    const list = await this.request("list", {});
    return list.ok ? findSession(list.value, ref, this.machine) : list;
  }

  onGone(handler: (error: Failure) => void): void {
    this.#gone = handler;
  }

  close(): Promise<void> {
    this.#gone = null;
    return this.connection.close();
  }

  async #look(error: Failure): Promise<void> {
    const lost = error.retry === "never";
    if (!lost && (await agentRuns(this.#at))) return;
    const handler = this.#gone;
    this.#gone = null;
    handler?.(
      lost ? error : failure("agent-restarted", `The agent on ${this.machine} has ended, and its sessions with it. Start new ones.`),
    );
  }
}

export function findSession(entries: readonly SessionEntry[], ref: string, machine: string): Result<SessionEntry> {
  const exact = entries.find((entry) => entry.sessionId === ref);
  if (exact !== undefined) return ok(exact);
  const named = entries.filter((entry) => entry.name === ref);
  const live = named.find((entry) => entry.state === "running");
  if (live !== undefined) return ok(live);
  const [newest] = [...named].sort((one, other) => other.created.localeCompare(one.created));
  if (newest !== undefined) return ok(newest);
  const prefixed = ref === "" ? [] : entries.filter((entry) => entry.sessionId.startsWith(ref));
  const [only, another] = prefixed;
  if (only === undefined) return noSession(machine, ref);
  if (another === undefined) return ok(only);
  const choices = prefixed.map((entry) => entry.sessionId).slice(0, 64);
  return fail("ambiguous", `Several sessions begin with ${printable(ref)}: ${choices.join(", ")}. Nothing was done. Choose one.`, {
    choices,
  });
}

function noSession(machine: string, ref: string): Result<never> {
  return fail("not-found", `${machine} has no session ${printable(ref)}. Nothing was done. \`muxdeck ls\` shows them.`);
}

/** Shown to others in the same session. */
function clientName(): string {
  try {
    return `${userInfo().username}@${localMachine()}`;
  } catch {
    return `cli@${localMachine()}`;
  }
}
