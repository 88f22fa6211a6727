/**
 * The agent as a whole: its sessions, its clients, what it says of itself, and its end. Owns no socket (listener.ts) and no process
 * matters (main.ts).
 */
import { readdirSync } from "node:fs";
import { failure } from "../protocol/errors.js";
import type { AgentStatus } from "../protocol/messages.js";
import { emulator, productVersion, protocolVersions, type Role, unicodeVersion } from "../protocol/values.js";
import type { Clock, Transport } from "../transport/transport.js";
import { AgentConnection } from "./connection.js";
import type { Log } from "./log.js";
import type { ConnectionAgent } from "./requests.js";
import { Sessions, type SessionsOptions } from "./sessions.js";

export interface AgentOptions extends Omit<SessionsOptions, "log"> {
  stateId: string;
  /** Random, new at each start. */
  run: string;
  root: boolean;
  /** Who owns the socket. */
  owner: string;
  /** Ceiling of every connection. */
  maxRole: Role;
  log: Log;
  /** All sessions have ended, and everybody was told. */
  stopped(): void;
}

/** Connections at once; each costs a descriptor, which sessions need too. */
const mostConnections = 512;
/** Ending the sessions takes at most 5 s, all at once; after this we end without them. */
const stopMs = 10_000;

export class Agent implements ConnectionAgent {
  readonly clock: Clock;
  readonly sessions: Sessions;
  readonly hello: ConnectionAgent["hello"];
  readonly log: Log;
  readonly #options: AgentOptions;
  readonly #connections = new Set<AgentConnection>();
  readonly #startedAt: number;
  #stopping: Promise<void> | null = null;

  constructor(options: AgentOptions) {
    const { stateId, run, machine, root, clock, log } = options;
    this.#options = options;
    this.clock = clock;
    this.log = log;
    this.#startedAt = clock.now();
    this.sessions = new Sessions(options);
    const versions = { protocol: protocolVersions, product: productVersion, emulator, unicode: unicodeVersion };
    this.hello = { ...versions, stateId, run, machine, pid: process.pid, root };
  }

  /** A client on the agent's own socket: the owner, as admin within the agent's ceiling. */
  accept(transport: Transport): void {
    const { owner, maxRole } = this.#options;
    this.connect(transport, { principal: { id: "owner", name: owner }, ceiling: maxRole, only: null });
  }

  /** A client on any transport, as somebody; `only`: the sessions it may see. Null when the agent is full or ends. */
  connect(
    transport: Transport,
    as: { principal: { id: string; name: string }; ceiling: Role; only: ReadonlySet<string> | null },
  ): AgentConnection | null {
    if (this.#connections.size >= mostConnections || this.#stopping !== null) {
      transport.terminate();
      return null;
    }
    const connection: AgentConnection = new AgentConnection({
      agent: this,
      transport,
      ...as,
      closed: () => this.#connections.delete(connection),
    });
    this.#connections.add(connection);
    return connection;
  }

  status(): AgentStatus {
    const { running, ended, streams, hashMismatches } = this.sessions.counts;
    const { pid, run, stateId, product, protocol, machine, root } = this.hello;
    return {
      pid,
      run,
      stateId,
      product,
      protocol,
      machine,
      root,
      uptimeMs: this.clock.now() - this.#startedAt,
      sessions: { running, ended },
      clients: [...this.#connections].filter((connection) => connection.open).length,
      streams,
      descriptors: descriptors(),
      residentBytes: process.memoryUsage().rss,
      hashMismatches,
    };
  }

  /** Ends every program, tells every client, and is over. Safe to call again. */
  stop(): void {
    this.#stopping ??= this.#stop();
  }

  async #stop(): Promise<void> {
    this.log("agent-stopping", { sessions: this.sessions.counts.running });
    await new Promise<void>((done) => {
      const cancel = this.clock.after(stopMs, () => {
        this.log("agent-stop-late", { sessions: this.sessions.counts.running });
        done();
      });
      void this.sessions.killAll().then(() => {
        cancel();
        done();
      });
    });
    // Never by itself: a client that tried again would start the agent that somebody just stopped.
    const why = failure(
      "offline",
      `The agent on ${this.hello.machine} was stopped, and its sessions ended. Start it when you want it back.`,
      {
        scope: "connection",
      },
    );
    for (const connection of [...this.#connections]) connection.close(why);
    this.sessions.close();
    this.#options.stopped();
  }
}

function descriptors(): number {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    return 0;
  }
}
