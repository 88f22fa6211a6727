/**
 * A whole agent without processes: echo ptys, plain screens, a clock that tests move, and clients over transports in memory. Owns nothing
 * but the joining.
 */
import { Agent } from "../../agent/agent.js";
import type { AgentConnection } from "../../agent/connection.js";
import type { LogFields } from "../../agent/log.js";
import type { Role } from "../../protocol/values.js";
import { type MemoryPair, memoryPair } from "../../transport/memory.js";
import { EchoPty } from "./echo-pty.js";
import { ManualClock } from "./manual-clock.js";
import { PlainGuard, PlainScreen } from "./plain-screen.js";
import { RawClient } from "./raw-client.js";

export class AgentInMemory {
  readonly clock = new ManualClock();
  readonly ptys: EchoPty[] = [];
  readonly screens: PlainScreen[] = [];
  readonly logged: { event: string; fields: LogFields }[] = [];
  readonly spawned: { command: string[]; cwd: string; env: Record<string, string> }[] = [];
  readonly links: MemoryPair[] = [];
  #last: AgentConnection | null = null;
  /** What the next start of a program fails with. */
  spawnFails: { code: "limit" | "spawn-failed"; message: string } | null = null;
  stopped = 0;
  readonly agent: Agent;

  constructor(options: { historyBytes?: number; maxRole?: Role; env?: Record<string, string> } = {}) {
    this.agent = new Agent({
      clock: this.clock,
      machine: "testbox",
      stateId: "0123456789abcdef01234567",
      run: "this-run",
      root: false,
      owner: "me",
      maxRole: options.maxRole ?? "admin",
      scrollback: () => 1000,
      ...(options.historyBytes === undefined ? {} : { historyBytes: options.historyBytes }),
      env: options.env ?? { PATH: "/bin:/usr/bin", HOME: "/", SHELL: "/bin/sh" },
      guard: () => new PlainGuard(),
      openScreen: ({ reader, size }) => {
        const screen = new PlainScreen({ reader, size });
        this.screens.push(screen);
        return screen;
      },
      spawn: ({ command, cwd, env }, events) => {
        if (this.spawnFails !== null) return { ok: false, error: { ...this.spawnFails, scope: "stream", retry: "never" } };
        const pty = new EchoPty(events);
        this.spawned.push({ command, cwd, env });
        this.ptys.push(pty);
        return { ok: true, value: pty };
      },
      log: (event, fields) => this.logged.push({ event, fields }),
      stopped: () => {
        this.stopped += 1;
      },
    });
  }

  /** The pty of the nth session that was started. */
  pty(n = 0): EchoPty {
    const pty = this.ptys[n];
    if (pty === undefined) throw new Error(`there is no pty ${n}`);
    return pty;
  }

  screen(n = 0): PlainScreen {
    const screen = this.screens[n];
    if (screen === undefined) throw new Error(`there is no screen ${n}`);
    return screen;
  }

  /** A client that has said nothing yet. */
  client(as: { principal?: string; ceiling?: Role; only?: ReadonlySet<string> } = {}): RawClient {
    const link = memoryPair();
    link.automatic();
    this.links.push(link);
    const principal = { id: as.principal ?? "owner", name: as.principal ?? "me" };
    if (Object.keys(as).length === 0) this.agent.accept(link.right);
    else this.#last = this.agent.connect(link.right, { principal, ceiling: as.ceiling ?? "admin", only: as.only ?? null });
    return new RawClient(link.left);
  }

  /** Changes what the last client made with a principal may do. */
  lower(ceiling: Role): void {
    this.#last?.setCeiling(ceiling);
  }

  /** Lets everything that is not waiting for time happen. */
  async settle(): Promise<void> {
    for (let n = 0; n < 60; n += 1) await Promise.resolve();
  }

  /** Moves time and lets everything happen at each step. */
  async pass(ms: number, step = 50): Promise<void> {
    await this.settle();
    for (let gone = 0; gone < ms; gone += step) {
      this.clock.advance(Math.min(step, ms - gone));
      await this.settle();
    }
  }
}
