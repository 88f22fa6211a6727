/**
 * How much output may be on its way to one client over all its streams: enough to fill the path, not so much that an echo waits behind a
 * flood. Owns the measuring: a ping follows every few frames, and its pong says that everything before it arrived. Sends nothing itself.
 *
 *     limit = max(64 KiB, (smallest recent round trip + 100 ms) x measured rate)
 */

/** What may be under way before anything was measured, and on the slowest links. */
export const smallestWindow = 64 * 1024;
/** Queueing that the window allows on top of the path itself; more would be felt as lag. */
const queueMs = 100;
/** Bytes between two pings at least; on a large window there are eight of them. */
const closestProbes = 16 * 1024;
/** How long a measurement counts: routes and neighbours change. */
const roundTripMemoryMs = 10_000;
const rateMemoryMs = 2_000;

interface Probe {
  n: number;
  at: number;
  /** Bytes sent before it, and bytes known to have arrived when it went out. */
  sent: number;
  arrived: number;
  /** Little was under way: its round trip is the path's own. */
  drained: boolean;
}

/** The largest value of the last while. */
class RecentMaximum {
  #values: { at: number; value: number }[] = [];

  add(at: number, value: number): void {
    while ((this.#values[this.#values.length - 1]?.value ?? Infinity) <= value) this.#values.pop();
    this.#values.push({ at, value });
  }

  get(at: number): number {
    while (this.#values.length > 1 && (this.#values[0]?.at ?? at) < at - rateMemoryMs) this.#values.shift();
    return this.#values[0]?.value ?? 0;
  }
}

export class SendWindow {
  #sent = 0;
  #arrived = 0;
  #probedAt = 0;
  #n = 0;
  #probes: Probe[] = [];
  #smallest: { roundTrip: number; at: number } | null = null;
  /** The smallest round trip is old. As long as the path is full every new one holds our own queue, so it is let run empty once. */
  #draining = false;
  readonly #rates = new RecentMaximum();
  #limit = smallestWindow;

  /** Bytes that may be sent now; never negative. */
  get room(): number {
    return Math.max(0, (this.#draining ? closestProbes : this.#limit) - (this.#sent - this.#arrived));
  }

  get limit(): number {
    return this.#limit;
  }

  /** Bytes went out. True: a ping is due, as the next frame. */
  sent(bytes: number): boolean {
    this.#sent += bytes;
    return this.#sent - this.#probedAt >= Math.max(closestProbes, this.#limit / 8);
  }

  /**
   * Full, and no ping under way that would ever say otherwise: one is due now. A window that was large and is let run empty is full with
   * fewer bytes than stand between two pings.
   */
  get stuck(): boolean {
    return this.room === 0 && this.#probes.length === 0;
  }

  /** The number of a ping that goes out now. */
  probe(now: number): number {
    this.#n = this.#n === 0xffffffff ? 1 : this.#n + 1;
    this.#probedAt = this.#sent;
    const drained = this.#draining && this.#sent - this.#arrived <= 2 * closestProbes;
    this.#probes.push({ n: this.#n, at: now, sent: this.#sent, arrived: this.#arrived, drained });
    return this.#n;
  }

  /** A pong came. True: there is more room than before. Unknown numbers are ignored. */
  pong(n: number, now: number): boolean {
    const index = this.#probes.findIndex((probe) => probe.n === n);
    const probe = this.#probes[index];
    if (probe === undefined) return false;
    this.#probes.splice(0, index + 1);
    const before = this.#arrived;
    this.#arrived = probe.sent;
    // Below a clock tick everything is as fast as the tick.
    const roundTrip = Math.max(0.05, now - probe.at);
    this.#remember(roundTrip, probe.drained, now);
    if (this.#arrived > probe.arrived) this.#rates.add(now, (this.#arrived - probe.arrived) / roundTrip);
    const smallest = this.#smallest?.roundTrip ?? 0;
    this.#limit = Math.max(smallestWindow, Math.round((smallest + queueMs) * this.#rates.get(now)));
    return this.#arrived > before;
  }

  #remember(roundTrip: number, drained: boolean, now: number): void {
    if (drained || this.#smallest === null || roundTrip <= this.#smallest.roundTrip) {
      this.#smallest = { roundTrip, at: now };
      this.#draining = false;
    } else if (now - this.#smallest.at > roundTripMemoryMs) {
      this.#draining = true;
    }
  }
}
