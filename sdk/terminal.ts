/**
 * `client.terminal`: the sessions a client can reach, by id, name and machine. Owns how a machine and a session are chosen and the shape
 * that callers see. Streams are terminal-stream.ts's.
 */
import type { Connection } from "../client/connection.js";
import type { Result } from "../protocol/errors.js";
import { nameSchema, type SessionEntry, type Size, sizeSchema } from "../protocol/values.js";
import { errorOf, errorWith } from "./errors.js";
import { sessionEnvironment } from "./session-environment.js";
import type { StreamChoices } from "./stream-choices.js";
import { TerminalStream } from "./terminal-stream.js";

/** A session as `muxdeck ls --json` shows it. */
export type SessionInfo = SessionEntry;

export interface CreateChoices {
  /** Name of the machine; default this one. */
  machine?: string;
  /** Program and arguments, or a line for `/bin/sh -c`; default the login shell. */
  command?: string | readonly string[];
  /** Default: the home folder. */
  cwd?: string;
  /** On top of what a session takes over from this process (PATH, HOME, LANG …). */
  env?: Readonly<Record<string, string>>;
  name?: string;
  /** Default 80x24. */
  size?: Size;
}

export class Terminal {
  readonly #connection: Connection;
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #streams = new Set<TerminalStream>();

  /** Made by MuxdeckClient. */
  constructor(connection: Connection, env: Readonly<Record<string, string | undefined>>) {
    this.#connection = connection;
    this.#env = env;
  }

  /**
   * The session of a machine with the latest activity. The machine by its exact name, then by a unique prefix; without a name this one.
   * Rejects with NotFoundError (no such machine, or no running session on it), AmbiguousError, OfflineError; never with null.
   */
  async getActiveSession(machine?: string): Promise<SessionInfo> {
    const name = this.#machine(machine);
    const running = (await this.list()).filter((entry) => entry.state === "running");
    const latest = running.reduce<SessionInfo | null>((best, entry) => (best && best.idleMs <= entry.idleMs ? best : entry), null);
    if (!latest) throw errorWith("not-found", `No session runs on ${name}. Start one with client.terminal.create().`);
    return latest;
  }

  /** Sessions, running and ended. */
  async list(choices: { machine?: string } = {}): Promise<SessionInfo[]> {
    this.#machine(choices.machine);
    return unwrap(await this.#connection.request("list", {}));
  }

  /** One session by id, unique id prefix, or name (the running one's, else the newest ended one's). */
  async get(session: string): Promise<SessionInfo> {
    const entries = await this.list();
    const exact = entries.find((entry) => entry.sessionId === session);
    if (exact) return exact;
    const named = entries.filter((entry) => entry.name === session);
    const live = named.find((entry) => entry.state === "running");
    if (live) return live;
    const newest = named.sort((one, other) => (one.created < other.created ? 1 : -1))[0];
    if (newest) return newest;
    const prefixed = session === "" ? [] : entries.filter((entry) => entry.sessionId.startsWith(session));
    const [only, another] = prefixed;
    if (only && !another) return only;
    if (!only) throw errorWith("not-found", `There is no session "${session}". See client.terminal.list().`);
    const choices = prefixed.map((entry) => entry.sessionId).slice(0, 64);
    throw errorWith("ambiguous", `Several sessions begin with "${session}": ${choices.join(", ")}.`, { choices });
  }

  /** Starts a session. Rejects with SpawnFailedError (no such program or folder) and InvalidError. */
  async create(choices: CreateChoices = {}): Promise<SessionInfo> {
    this.#machine(choices.machine);
    const { command, cwd = null, env = {}, name = null, size = { cols: 80, rows: 24 } } = choices;
    if (name !== null && !nameSchema.safeParse(name).success) {
      throw errorWith("invalid", "A name has 1 to 64 visible characters and does not begin with a dash.");
    }
    if (!sizeSchema.safeParse(size).success) throw errorWith("invalid", "A size is 2 to 1000 columns and 1 to 1000 rows.");
    const argv = typeof command === "string" ? ["/bin/sh", "-c", command] : command === undefined ? null : [...command];
    const reply = await this.#connection.request("new", { name, command: argv, cwd, env: sessionEnvironment(this.#env, env), size });
    return unwrap(reply);
  }

  /** Ends a session for everybody: HUP, TERM, KILL. Resolves with its last entry when the program is gone. */
  async terminate(session: string): Promise<SessionInfo> {
    return unwrap(await this.#connection.request("kill", { session }));
  }

  /** A stream that is not attached yet; nothing is sent before `attach`. Throws InvalidError at once for wrong options. */
  stream(choices: StreamChoices = {}): TerminalStream {
    const stream = new TerminalStream(this.#connection, choices, (ended) => this.#streams.delete(ended));
    this.#streams.add(stream);
    return stream;
  }

  /** Closes every stream. For MuxdeckClient. */
  async closeStreams(): Promise<void> {
    await Promise.all([...this.#streams].map((stream) => stream.close()));
  }

  /** The name of the machine that is meant; a client of this machine's agent knows no other. */
  #machine(wanted: string | undefined): string {
    const own = this.#connection.agent?.machine ?? "this machine";
    if (wanted === undefined || wanted === own || (wanted !== "" && own.startsWith(wanted))) return own;
    throw errorWith("not-found", `There is no machine "${wanted}". This client reaches ${own}.`);
  }
}

function unwrap<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  throw errorOf(result.error);
}
