/**
 * When to try a link again: at once after a link that held, else with growing pauses, never after a refusal until somebody asks. Owns
 * the schedule and its timer; what a try is, its owner says. Used by clients and by agents that dial a hub.
 */
import type { Clock } from "../transport/transport.js";

/** A link that lived this long counts as one that held. */
export const heldMs = 10_000;
/** Random wait before the try that follows a link that held: spreads a thousand clients of one broken hub. */
const firstJitterMs = 50;
const shortestPauseMs = 250;
const longestPauseMs = 15_000;

export type ReconnectState =
  | { state: "idle" }
  /** `attempt` counts the tries since the link was last up, from 1. */
  | { state: "waiting"; attempt: number; at: number }
  | { state: "trying"; attempt: number }
  | { state: "stopped" };

export interface ReconnectOptions {
  clock: Clock;
  /** 0 <= value < 1. */
  random: () => number;
  /** Starts one try; its end is told by `up`, `failed` or `refused`. */
  attempt: () => void;
}

export class Reconnect {
  readonly #options: ReconnectOptions;
  #state: ReconnectState = { state: "idle" };
  #attempt = 0;
  #upSince: number | null = null;
  #cancel: (() => void) | null = null;

  constructor(options: ReconnectOptions) {
    this.#options = options;
  }

  get state(): ReconnectState {
    return this.#state;
  }

  /** The try worked: the link is up. */
  up(): void {
    this.#clear();
    this.#upSince = this.#options.clock.now();
    this.#state = { state: "idle" };
  }

  /** The link broke, or a try failed: plans the next one. */
  failed(): void {
    if (this.#state.state === "stopped") return;
    this.#clear();
    const { clock, random } = this.#options;
    const now = clock.now();
    const held = this.#upSince !== null && now - this.#upSince >= heldMs;
    if (held) this.#attempt = 0;
    this.#upSince = null;
    this.#attempt++;
    const pause = held ? random() * firstJitterMs : pauseMs(this.#attempt, random());
    this.#state = { state: "waiting", attempt: this.#attempt, at: now + pause };
    this.#cancel = clock.after(pause, () => this.#try());
  }

  /** The other side said that trying again cannot work: nothing more until `now`. */
  refused(): void {
    this.stop();
  }

  /** Tries at once: the user asked, the machine woke up, or the network came back. A try under way goes on. */
  now(): void {
    if (this.#state.state === "trying" || (this.#state.state === "idle" && this.#upSince !== null)) return;
    this.#clear();
    if (this.#attempt === 0) this.#attempt = 1;
    this.#try();
  }

  /** No more tries; `now` starts them again. */
  stop(): void {
    this.#clear();
    this.#upSince = null;
    this.#attempt = 0;
    this.#state = { state: "stopped" };
  }

  #try(): void {
    this.#cancel = null;
    this.#state = { state: "trying", attempt: this.#attempt };
    this.#options.attempt();
  }

  #clear(): void {
    this.#cancel?.();
    this.#cancel = null;
  }
}

/** Pause before try number `attempt`: 0.25, 0.5, 1 … 15 s, each between half and the whole of it, and never shorter than 0.25 s. */
export function pauseMs(attempt: number, random: number): number {
  const whole = Math.min(longestPauseMs, shortestPauseMs * 2 ** Math.min(attempt, 30));
  return Math.max(shortestPauseMs, whole * (0.5 + random / 2));
}
