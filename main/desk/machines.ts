/**
 * The machines of the desk: each one's connection, its live state and its sessions, as the page lists them. Owns when a change is told
 * (at most ten times a second, the last one always) and nothing of panes. Today there is one machine, this one; the rest of the desk
 * already asks by id.
 */

import type { MachineState } from "../../link/messages.js";
import type { Failure } from "../../protocol/errors.js";
import { fail, failure, ok, type Result } from "../../protocol/errors.js";
import type { SessionEntry } from "../../protocol/values.js";
import type { Clock } from "../../transport/transport.js";
import type { AgentLink } from "./agent-link.js";

/** Shortest time between two `machines` events: lists redraw no faster, and a busy agent must not cost the page its frames. */
export const coalesceMs = 100;

export interface MachineOptions {
  /** Id of its agent's state folder. */
  id: string;
  /** Shown until its agent has said its own. */
  name: string;
  link: AgentLink;
}

interface Machine extends MachineOptions {
  sessions: Map<string, SessionEntry>;
  /** Where the link died for good before it was made, for example over a foreign folder. */
  stop: () => void;
}

export class Machines {
  readonly #clock: Clock;
  readonly #machines = new Map<string, Machine>();
  readonly #handlers = new Set<() => void>();
  #lastTold = Number.NEGATIVE_INFINITY;
  #cancel: (() => void) | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Adds a machine and opens its connection; its sessions are watched from now on. */
  add(options: MachineOptions): void {
    const machine: Machine = { ...options, sessions: new Map(), stop: () => {} };
    this.#machines.set(options.id, machine);
    const offState = options.link.onState(() => this.#changed());
    const offWatch = options.link.watch({
      sessions: (entries) => {
        machine.sessions = new Map(entries.map((entry) => [entry.sessionId, entry]));
        this.#changed();
      },
      changed: (change, entry) => {
        if (change === "removed") machine.sessions.delete(entry.sessionId);
        else machine.sessions.set(entry.sessionId, entry);
        this.#changed();
      },
    });
    machine.stop = () => {
      offState();
      offWatch();
    };
    options.link.open();
  }

  /** The connection of a machine; `not-found` names none that the desk knows. */
  link(id: string): Result<AgentLink> {
    const machine = this.#machines.get(id);
    return machine === undefined ? fail("not-found", "This machine is not known here. Nothing was done.") : ok(machine.link);
  }

  name(id: string): string {
    const machine = this.#machines.get(id);
    return machine === undefined ? id : nameOf(machine);
  }

  /** Everything the page lists, as of now. */
  states(): MachineState[] {
    return [...this.#machines.values()].map((machine) => stateOf(machine, this.#clock.now()));
  }

  /** Called after changes, coalesced; returns how to stop. */
  onChange(handler: () => void): () => void {
    this.#handlers.add(handler);
    return () => this.#handlers.delete(handler);
  }

  /** Stops telling, and closes every connection: streams flush their input and detach, sessions go on. */
  async close(): Promise<void> {
    this.#cancel?.();
    this.#cancel = null;
    this.#handlers.clear();
    await Promise.all(
      [...this.#machines.values()].map(async (machine) => {
        machine.stop();
        await machine.link.close();
      }),
    );
  }

  #changed(): void {
    if (this.#cancel !== null) return;
    const wait = this.#lastTold + coalesceMs - this.#clock.now();
    // At least one turn later even when nothing was told for long: a list of sessions arrives with the state that it belongs to.
    this.#cancel = this.#clock.after(Math.max(0, wait), () => {
      this.#cancel = null;
      this.#lastTold = this.#clock.now();
      for (const handler of this.#handlers) handler();
    });
  }
}

function nameOf(machine: Machine): string {
  return machine.link.agent?.machine ?? machine.name;
}

function stateOf(machine: Machine, now: number): MachineState {
  const { link } = machine;
  return {
    machine: machine.id,
    name: nameOf(machine),
    ...linkState(link, now),
    roundTripMs: link.roundTripMs,
    root: link.agent?.root ?? false,
    sessions: [...machine.sessions.values()],
  };
}

/** The connection's states in the page's words: a try under way, planned or not begun is `reconnecting`. */
function linkState(link: AgentLink, now: number): Pick<MachineState, "state" | "error" | "attempt" | "nextTryMs"> {
  const quiet = { error: null, attempt: 0, nextTryMs: null };
  const state = link.state;
  switch (state.state) {
    case "live":
    case "stale":
      return { ...quiet, state: state.state };
    case "idle":
      return { ...quiet, state: "reconnecting" };
    case "connecting":
      return { ...quiet, state: "reconnecting", attempt: state.attempt };
    case "waiting":
      return { state: "reconnecting", error: state.error, attempt: state.attempt, nextTryMs: Math.max(0, state.nextTryAt - now) };
    case "lost":
      return { ...quiet, state: "lost", error: state.error };
    case "closed":
      return { ...quiet, state: "lost", error: closedError };
  }
}

const closedError: Failure = failure("offline", "Muxdeck is closing. Sessions keep running.", { scope: "connection" });
