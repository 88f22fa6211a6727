/**
 * Whether the other end of a link still answers: asks each 5 s, calls the link stale after 7 s of silence and dead after 20 s. Owns that
 * timer and the round trip; what stale and dead lead to, its owner decides.
 */
import type { Clock } from "../transport/transport.js";

export const pingEveryMs = 5000;
export const staleAfterMs = 7000;
export const deadAfterMs = 20_000;
/** A timer this late means that we stood still, not the other end: what it said meanwhile has yet to be read. */
const lateMs = 1000;
/** Time to answer after we stood still. */
const graceMs = 1500;

export interface HeartbeatOptions {
  clock: Clock;
  ping(n: number): void;
  /** The link went stale (last heard at `since`), or answers again (null). */
  stale(since: number | null): void;
  dead(): void;
}

export class Heartbeat {
  readonly #options: HeartbeatOptions;
  #cancel: (() => void) | null = null;
  #heardAt = 0;
  #pingedAt = 0;
  #n = 0;
  #stale = false;
  #roundTripMs: number | null = null;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  /** Milliseconds of the last answered ping. */
  get roundTripMs(): number | null {
    return this.#roundTripMs;
  }

  start(): void {
    this.stop();
    this.#heardAt = this.#options.clock.now();
    this.#ping();
    this.#plan();
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#stale = false;
  }

  /** Any frame arrived. */
  heard(): void {
    this.#heardAt = this.#options.clock.now();
    if (!this.#stale) return;
    this.#stale = false;
    this.#options.stale(null);
  }

  pong(n: number): void {
    if (n === this.#n) this.#roundTripMs = this.#options.clock.now() - this.#pingedAt;
  }

  /** The machine woke up or the network changed: asks at once, and gives the other end little time. */
  wake(): void {
    if (this.#cancel) this.#standstill();
  }

  #ping(): void {
    this.#pingedAt = this.#options.clock.now();
    this.#options.ping(++this.#n);
  }

  /** One timer, for whichever comes first: the next ping, stale or dead. */
  #plan(): void {
    const { clock } = this.#options;
    const now = clock.now();
    const silence = this.#stale ? deadAfterMs : staleAfterMs;
    const at = Math.min(this.#pingedAt + pingEveryMs, this.#heardAt + silence);
    this.#cancel?.();
    this.#cancel = clock.after(Math.max(0, at - now), () => this.#tick(at));
  }

  #tick(plannedAt: number): void {
    const now = this.#options.clock.now();
    if (now - plannedAt > lateMs) {
      this.#standstill();
      return;
    }
    const silent = now - this.#heardAt;
    if (silent >= deadAfterMs) {
      this.stop();
      this.#options.dead();
      return;
    }
    if (now - this.#pingedAt >= pingEveryMs) this.#ping();
    if (silent >= staleAfterMs && !this.#stale) {
      this.#stale = true;
      this.#options.stale(this.#heardAt);
    }
    // The owner may have stopped us from within.
    if (this.#cancel) this.#plan();
  }

  #standstill(): void {
    const asked = this.#options.clock.now();
    this.#ping();
    this.#cancel?.();
    this.#cancel = this.#options.clock.after(graceMs, () => {
      if (this.#heardAt >= asked) {
        this.#plan();
        return;
      }
      this.stop();
      this.#options.dead();
    });
  }
}
