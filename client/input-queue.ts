/**
 * Input of one holder on its way to a pty: counted in bytes, kept until acknowledged, sent again or given back after a break (docs:
 * protocol, "Input"). Owns positions and the answer to every send; knows neither streams nor states, only whether it may send.
 */
import { type Failure, failure } from "../protocol/errors.js";
import type { Clock } from "../transport/transport.js";

/** What became of one send. `delivered` counts its bytes that the pty took (of those nobody knows about, none). */
export type SendOutcome = { ok: true } | { ok: false; delivered: number; error: Failure };

/**
 * Input that the pty will not get. `delivered`: bytes of the first send in it that arrived; null when nothing of it had been sent.
 * `lost` bytes were typed before every `offline` byte of the same break.
 */
export interface Undelivered {
  bytes: Uint8Array;
  delivered: number | null;
  why: "offline" | "lost" | "cancelled" | "refused";
}

/** Bytes on the wire that the pty has not acknowledged. */
export const inFlightLimit = 256 * 1024;
/** Bytes of all unacknowledged sends of one stream; beyond, a send is refused. */
export const pendingLimit = 64 * 1024 * 1024;
/** Input typed longer ago than this is not sent again after a break: a late command is worse than a lost one. */
export const resendWithinMs = 3000;
const frameBytes = 16 * 1024;

interface Entry {
  bytes: Uint8Array;
  /** Position of its first byte. */
  start: number;
  typedAt: number;
  done: ((outcome: SendOutcome) => void) | null;
  /** Its end was cut off: the answer once the rest is acknowledged. */
  cut: Failure | null;
}

export interface InputQueueOptions {
  clock: Clock;
  transmit(position: number, bytes: Uint8Array): void;
  undelivered(input: Undelivered): void;
  /** Everything is acknowledged or given back. */
  empty(): void;
}

export class InputQueue {
  readonly #options: InputQueueOptions;
  #entries: Entry[] = [];
  /** Index in `#entries` of the entry that `#sent` is in. */
  #sending = 0;
  #acknowledged = 0;
  #sent = 0;
  #everSent = 0;
  #end = 0;
  #open = false;
  #known = false;

  constructor(options: InputQueueOptions) {
    this.#options = options;
  }

  /** Bytes not acknowledged, sent or not. */
  get pending(): number {
    return this.#end - this.#acknowledged;
  }

  /** Whether bytes may go out. Opening sends what waits. */
  set open(open: boolean) {
    this.#open = open;
    this.#pump();
  }

  get open(): boolean {
    return this.#open;
  }

  push(bytes: Uint8Array, done: ((outcome: SendOutcome) => void) | null): void {
    if (bytes.length === 0) {
      done?.({ ok: true });
      return;
    }
    if (this.pending + bytes.length > pendingLimit) {
      const error = failure("busy", "Over 64 MiB wait for the program to read them. Wait, or cancel the input.", { retry: "later" });
      this.#options.undelivered({ bytes, delivered: null, why: "refused" });
      done?.({ ok: false, delivered: 0, error });
      return;
    }
    this.#entries.push({ bytes, start: this.#end, typedAt: this.#options.clock.now(), done, cut: null });
    this.#end += bytes.length;
    this.#pump();
  }

  /** The pty took everything before `upTo`. */
  acknowledge(upTo: number): void {
    const to = Math.min(upTo, this.#sent);
    if (to <= this.#acknowledged) return;
    this.#acknowledged = to;
    const answers: (() => void)[] = [];
    let finished = 0;
    for (const entry of this.#entries) {
      if (entry.start + entry.bytes.length > to) break;
      finished++;
      const { cut, done } = entry;
      const delivered = entry.bytes.length;
      if (done) answers.push(() => done(cut ? { ok: false, delivered, error: cut } : { ok: true }));
    }
    this.#entries.splice(0, finished);
    this.#sending = Math.max(0, this.#sending - finished);
    this.#pump();
    for (const answer of answers) answer();
    if (finished > 0 && this.#entries.length === 0) this.#options.empty();
  }

  /**
   * A new attach says what the agent has of this holder. What it lacks is sent again if all of it was typed within the last 3 s, else
   * given back: sending only the younger part would join the two ends of a hole. `null`: it does not know the holder and counts from 0.
   */
  attached(received: number | null): void {
    const first = !this.#known;
    this.#known = true;
    if (first && this.#entries.length === 0) {
      this.#restart(received ?? 0);
      return;
    }
    if (received === null || received < this.#acknowledged || received > this.#end) {
      this.#giveBack(this.#acknowledged, "lost", lostError());
      this.#restart(received ?? 0);
      return;
    }
    this.#sent = received;
    this.#sending = this.#entries.findIndex((entry) => entry.start + entry.bytes.length > received);
    const oldest = this.#entries[this.#sending];
    if (!oldest) {
      this.#sending = this.#entries.length;
      return;
    }
    if (this.#options.clock.now() - oldest.typedAt >= resendWithinMs) this.#giveBack(received, "lost", lostError());
  }

  /** Gives back what was not sent yet; the agent is asked separately for what it has not written. */
  cancelUnsent(): void {
    this.#giveBack(this.#sent, "cancelled", cancelledError());
  }

  /** The role no longer allows typing: gives back what was not sent yet. */
  refuseUnsent(error: Failure): void {
    this.#giveBack(this.#sent, "refused", error);
  }

  /** The agent dropped input from `from` to `to` unwritten; what was sent after `to` goes on. */
  cancelled(from: number, to: number, why: Undelivered["why"] = "cancelled", error: Failure = cancelledError()): void {
    this.acknowledge(from);
    const end = Math.min(to, this.#sent);
    if (end <= this.#acknowledged) return;
    const begin = this.#acknowledged;
    const given: Uint8Array[] = [];
    let delivered: number | null = null;
    const answers: (() => void)[] = [];
    let finished = 0;
    for (const entry of this.#entries) {
      if (entry.start >= end) break;
      const entryEnd = entry.start + entry.bytes.length;
      const arrived = Math.max(0, begin - entry.start);
      delivered ??= arrived;
      given.push(entry.bytes.subarray(arrived, Math.min(entry.bytes.length, end - entry.start)));
      const { done } = entry;
      entry.done = null;
      if (done) answers.push(() => done({ ok: false, delivered: arrived, error }));
      if (entryEnd <= end) finished++;
    }
    this.#entries.splice(0, finished);
    this.#sending = Math.max(0, this.#sending - finished);
    this.#acknowledged = end;
    if (given.length > 0) this.#options.undelivered({ bytes: join(given), delivered, why });
    this.#pump();
    for (const answer of answers) answer();
    if (this.#entries.length === 0) this.#options.empty();
  }

  /** Nothing will be acknowledged any more: gives back everything. */
  abandon(error: Failure): void {
    this.#open = false;
    this.#giveBack(this.#acknowledged, "lost", error);
  }

  #restart(at: number): void {
    this.#entries = [];
    this.#sending = 0;
    this.#acknowledged = at;
    this.#sent = at;
    this.#everSent = at;
    this.#end = at;
  }

  /** Sends whole sends, or 16 KiB pieces of long ones, while they fit in flight: a key's bytes never go in two frames. */
  #pump(): void {
    while (this.#open) {
      const entry = this.#entries[this.#sending];
      if (!entry) return;
      const offset = this.#sent - entry.start;
      const bytes = entry.bytes.subarray(offset, offset + frameBytes);
      if (bytes.length === 0) {
        this.#sending++;
        continue;
      }
      if (this.#sent + bytes.length - this.#acknowledged > inFlightLimit) return;
      const position = this.#sent;
      this.#sent += bytes.length;
      this.#everSent = Math.max(this.#everSent, this.#sent);
      if (offset + bytes.length === entry.bytes.length) this.#sending++;
      this.#options.transmit(position, bytes);
    }
  }

  /** Cuts the queue off at `at` and gives back what follows. What stays is answered when it is acknowledged. */
  #giveBack(at: number, why: Undelivered["why"], error: Failure): void {
    if (at >= this.#end) return;
    const given: Uint8Array[] = [];
    let delivered: number | null | undefined;
    const answers: (() => void)[] = [];
    const kept: Entry[] = [];
    for (const entry of this.#entries) {
      if (entry.start + entry.bytes.length <= at) {
        kept.push(entry);
        continue;
      }
      const arrived = Math.max(0, at - entry.start);
      if (delivered === undefined) delivered = this.#everSent > entry.start ? arrived : null;
      given.push(entry.bytes.subarray(arrived));
      const { done } = entry;
      if (at > this.#acknowledged && arrived > 0) {
        kept.push({ ...entry, bytes: entry.bytes.subarray(0, arrived), cut: error });
      } else if (done) {
        answers.push(() => done({ ok: false, delivered: arrived, error: entry.cut ?? error }));
      }
    }
    this.#entries = kept;
    this.#end = at;
    this.#sent = Math.min(this.#sent, at);
    this.#everSent = Math.min(this.#everSent, at);
    this.#sending = Math.min(this.#sending, kept.length);
    this.#options.undelivered({ bytes: join(given), delivered: delivered ?? null, why });
    for (const answer of answers) answer();
    if (kept.length === 0) this.#options.empty();
  }
}

function lostError(): Failure {
  return failure("not-delivered", "The link broke before this input arrived, and it is too old to be sent by itself. Send it again.");
}

function cancelledError(): Failure {
  return failure("not-delivered", "This input was cancelled.");
}

function join(parts: Uint8Array[]): Uint8Array {
  if (parts.length === 1 && parts[0]) return parts[0];
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
