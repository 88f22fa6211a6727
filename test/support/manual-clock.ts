/**
 * A clock whose time only tests move. Owns the order of timers: by time, then by age. Promises between two timers are the caller's to wait
 * for.
 */
import type { Clock } from "../../transport/transport.js";

interface Timer {
  at: number;
  order: number;
  then: () => void;
}

export class ManualClock implements Clock {
  #now = 0;
  #order = 0;
  #timers: Timer[] = [];

  now(): number {
    return this.#now;
  }

  after(ms: number, then: () => void): () => void {
    const timer: Timer = { at: this.#now + Math.max(0, ms), order: this.#order++, then };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((one) => one !== timer);
    };
  }

  /** Timers not yet due: zero means that nothing would keep a process alive. */
  get pending(): number {
    return this.#timers.length;
  }

  /** Moves time, running what falls due on the way, each at its own time. */
  advance(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      const next = this.#timers.reduce<Timer | null>((first, one) => {
        if (one.at > until) return first;
        return first === null || one.at < first.at || (one.at === first.at && one.order < first.order) ? one : first;
      }, null);
      if (next === null) break;
      this.#timers = this.#timers.filter((one) => one !== next);
      this.#now = Math.max(this.#now, next.at);
      next.then();
    }
    this.#now = until;
  }

  /** Stands still for that long, as a suspended process does: what fell due runs only afterwards, late and once. */
  sleep(ms: number): void {
    this.#now += ms;
    this.advance(0);
  }
}
