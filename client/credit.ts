/**
 * How far the agent may send on one stream id: absolute, in bytes carried, snapshots included. Owns the window, which follows how fast
 * the viewer parses: what is sent but not parsed yet is what a Ctrl-C waits behind.
 */
import type { Clock } from "../transport/transport.js";

const smallestWindow = 64 * 1024;
const largestWindow = 1024 * 1024;
export const firstWindow = 256 * 1024;
/** A window holds as much as the viewer parses in this time. */
const targetMs = 100;
/** Fewer bytes than this say nothing about a rate: an echo is shown with the next frame, however fast the parser is. */
const sampleBytes = 16 * 1024;

export class Credit {
  readonly #clock: Clock;
  #window: number;
  #carried = 0;
  /** Delivered and unparsed output, as ranges of sequences: a screen in between leaves a hole. */
  #unparsed: { from: number; to: number }[] = [];
  #unparsedBytes = 0;
  #granted = 0;
  #busySince = 0;
  #sampled = 0;
  /** Bytes a millisecond; null before the first sample. */
  #rate: number | null = null;

  constructor(clock: Clock, window = firstWindow) {
    this.#clock = clock;
    this.#window = window;
  }

  /** Kept over attaches: the viewer is the same. */
  get window(): number {
    return this.#window;
  }

  /** Bytes of any kind arrived on this stream id. Those not passed to `delivered` count as parsed. */
  carried(bytes: number): void {
    this.#carried += bytes;
  }

  /** Output from `from` to `to` went to the viewer, who will report it parsed. */
  delivered(from: number, to: number): void {
    if (this.#unparsed.length === 0) {
      this.#busySince = this.#clock.now();
      this.#sampled = 0;
    }
    const last = this.#unparsed[this.#unparsed.length - 1];
    if (last && last.to === from) last.to = to;
    else this.#unparsed.push({ from, to });
    this.#unparsedBytes += to - from;
  }

  parsed(seq: number): void {
    let bytes = 0;
    for (let range = this.#unparsed[0]; range && seq > range.from; range = this.#unparsed[0]) {
      const upTo = Math.min(seq, range.to);
      bytes += upTo - range.from;
      range.from = upTo;
      if (range.from < range.to) break;
      this.#unparsed.shift();
    }
    if (bytes === 0) return;
    this.#unparsedBytes -= bytes;
    this.#measure(bytes);
  }

  /** The new limit when it is worth a message, or null. */
  due(): number | null {
    const upTo = this.#carried - this.#unparsedBytes + this.#window;
    if (upTo - this.#granted < Math.max(smallestWindow / 4, this.#window / 8)) return null;
    this.#granted = upTo;
    return upTo;
  }

  #measure(bytes: number): void {
    this.#sampled += bytes;
    if (this.#sampled < sampleBytes) return;
    const now = this.#clock.now();
    // A viewer that parses within the call takes no measurable time.
    const elapsed = Math.max(0.1, now - this.#busySince);
    const rate = this.#sampled / elapsed;
    this.#rate = this.#rate === null ? rate : this.#rate * 0.7 + rate * 0.3;
    this.#window = Math.min(largestWindow, Math.max(smallestWindow, Math.round(this.#rate * targetMs)));
    this.#busySince = now;
    this.#sampled = 0;
  }
}
