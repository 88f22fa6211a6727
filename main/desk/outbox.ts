/**
 * What goes from the desk to one page, paced by its transport. Owns the order: news that belongs to no pane goes first, each pane's frames
 * stay in their own order, and panes take turns when the medium is full. Holds only what the medium cannot take now; how much that may
 * be is bounded by credit and, for a page that reads nothing at all, by the cap.
 */
import type { DeskMessage } from "../../link/messages.js";
import { type ByteFrameKind, encodeBytes, encodeControl, maxFrameLength } from "../../protocol/frame.js";
import { highWater, type Transport } from "../../transport/transport.js";

/** A page that lets this much pile up reads no more: its link is dropped, and it comes back with a snapshot. */
export const maxHeld = 64 * 1024 * 1024;

export class Outbox {
  readonly #transport: Transport;
  readonly #urgent: Uint8Array[] = [];
  /** Frames that wait, by pane; the map's order is the order of turns. */
  readonly #panes = new Map<number, Uint8Array[]>();
  #held = 0;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Bytes that wait here for the medium. */
  get held(): number {
    return this.#held;
  }

  /** Whether a message fits into one frame; a longer one would be refused by the page. */
  message(message: DeskMessage): boolean {
    const frame = encodeControl(JSON.stringify(message));
    if (frame.length > maxFrameLength) return false;
    this.#put(frame, "pane" in message ? message.pane : null);
    return true;
  }

  /** Copies: the bytes may be a view that is reused. */
  bytes(kind: ByteFrameKind, pane: number, position: number, bytes: Uint8Array): void {
    this.#put(encodeBytes(kind, pane, position, bytes), pane);
  }

  /** Forgets what a pane still had to say: it was closed. */
  drop(pane: number): void {
    for (const frame of this.#panes.get(pane) ?? []) this.#held -= frame.length;
    this.#panes.delete(pane);
  }

  /** The medium takes frames again. */
  drain(): void {
    while (this.#transport.queued < highWater) {
      const frame = this.#urgent.shift() ?? this.#nextOfPanes();
      if (frame === undefined) return;
      this.#held -= frame.length;
      this.#transport.send(frame);
    }
  }

  #put(frame: Uint8Array, pane: number | null): void {
    const waiting = pane === null ? this.#urgent.length > 0 : this.#panes.has(pane);
    if (!waiting && this.#transport.queued < highWater) {
      this.#transport.send(frame);
      return;
    }
    this.#held += frame.length;
    if (this.#held > maxHeld) this.#transport.terminate();
    else if (pane === null) this.#urgent.push(frame);
    else this.#queueOf(pane).push(frame);
  }

  #queueOf(pane: number): Uint8Array[] {
    const known = this.#panes.get(pane);
    if (known !== undefined) return known;
    const queue: Uint8Array[] = [];
    this.#panes.set(pane, queue);
    return queue;
  }

  /** One frame of the pane whose turn it is, which then goes to the end of the row. */
  #nextOfPanes(): Uint8Array | undefined {
    for (const [pane, queue] of this.#panes) {
      const frame = queue.shift();
      this.#panes.delete(pane);
      if (queue.length > 0) this.#panes.set(pane, queue);
      if (frame !== undefined) return frame;
    }
    return undefined;
  }
}
