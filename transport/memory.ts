/**
 * Two joined transports in one process that deliver only when told. Owns the order of frames and every fault a test can ask for: drop,
 * duplicate, stall, cut. Frames are copied in and spoiled after delivery, so that a reader that keeps a view is found out.
 */
import { highWater, type Transport, type TransportClosed, type TransportEvents } from "./transport.js";

/** Which way a frame goes: towards the left or the right end. */
export type Side = "left" | "right";

/** What happens to one frame at the moment it would be delivered. */
export type Fate = "pass" | "drop" | "twice";

export interface MemoryPair {
  readonly left: Transport;
  readonly right: Transport;
  /** Frames on their way towards one end. */
  pending(to: Side): number;
  /** Delivers the next frame (or goodbye) towards one end, or whichever is older; false when there was none that may move. */
  step(to?: Side): boolean;
  /** Delivers everything, also what deliveries cause; returns how many frames moved. More than `limit` is a bug of two ends talking for ever. */
  run(limit?: number): number;
  /** Holds back (or lets go on) what goes towards one end. */
  stall(to: Side, on: boolean): void;
  /** Decides each frame's fate; null: all pass. */
  onFrame(decide: ((to: Side, frame: Uint8Array) => Fate) | null): void;
  /** Delivers by itself, a microtask after each send; for tests that are not about order. */
  automatic(): void;
  /** Breaks the link: both ends are told, what was on its way is lost. */
  cut(text?: string): void;
  readonly open: boolean;
}

interface Parcel {
  order: number;
  /** Null: goodbye. */
  frame: Uint8Array | null;
}

export function memoryPair(): MemoryPair {
  let order = 0;
  let decide: ((to: Side, frame: Uint8Array) => Fate) | null = null;
  let byItself = false;
  let scheduled = false;

  const changed = () => {
    if (!byItself || scheduled) return;
    scheduled = true;
    void Promise.resolve().then(() => {
      scheduled = false;
      run(Number.POSITIVE_INFINITY);
    });
  };
  const left = new MemoryEnd(changed, () => order++);
  const right = new MemoryEnd(changed, () => order++);
  left.peer = right;
  right.peer = left;
  const end = (side: Side) => (side === "left" ? left : right);

  const deliver = (to: Side): boolean => {
    const target = end(to);
    if (target.stalled || !target.listening) return false;
    const parcel = target.inbox[0];
    if (!parcel) return false;
    target.inbox.shift();
    if (!parcel.frame) {
      target.finish({ clean: true, text: "the other end said goodbye" });
      target.peer?.finish({ clean: true, text: "closed" });
      return true;
    }
    const fate = decide?.(to, parcel.frame) ?? "pass";
    target.peer?.taken(parcel.frame.length);
    if (fate !== "drop") target.deliver(parcel.frame);
    if (fate === "twice") target.deliver(parcel.frame);
    return true;
  };
  const step = (to?: Side): boolean => {
    if (to) return deliver(to);
    const leftOrder = left.inbox[0]?.order ?? Number.POSITIVE_INFINITY;
    const rightOrder = right.inbox[0]?.order ?? Number.POSITIVE_INFINITY;
    return leftOrder < rightOrder ? deliver("left") || deliver("right") : deliver("right") || deliver("left");
  };
  const run = (limit = 100_000): number => {
    let moved = 0;
    while (step()) {
      moved++;
      if (moved > limit) throw new Error(`more than ${limit} frames: the two ends do not come to rest`);
    }
    return moved;
  };

  return {
    left,
    right,
    pending: (to) => end(to).inbox.length,
    step,
    run,
    stall: (to, on) => {
      end(to).stalled = on;
      changed();
    },
    onFrame: (handler) => {
      decide = handler;
    },
    automatic: () => {
      byItself = true;
      changed();
    },
    cut: (text = "the link was cut") => {
      left.finish({ clean: false, text });
      right.finish({ clean: false, text });
    },
    get open() {
      return left.open && right.open;
    },
  };
}

class MemoryEnd implements Transport {
  peer: MemoryEnd | null = null;
  inbox: Parcel[] = [];
  stalled = false;
  open = true;
  #saidGoodbye = false;
  #queued = 0;
  #full = false;
  #events: TransportEvents | null = null;
  #closed: TransportClosed | null = null;
  readonly #changed: () => void;
  readonly #order: () => number;

  constructor(changed: () => void, order: () => number) {
    this.#changed = changed;
    this.#order = order;
  }

  get listening(): boolean {
    return this.#events !== null;
  }

  get queued(): number {
    return this.#queued;
  }

  listen(events: TransportEvents): void {
    this.#events = events;
    if (this.#closed) events.closed(this.#closed);
    else this.#changed();
  }

  send(frame: Uint8Array): void {
    if (!this.open || this.#saidGoodbye) return;
    this.#queued += frame.length;
    if (this.#queued >= highWater) this.#full = true;
    this.peer?.inbox.push({ order: this.#order(), frame: frame.slice() });
    this.#changed();
  }

  close(): void {
    if (!this.open || this.#saidGoodbye) return;
    this.#saidGoodbye = true;
    this.peer?.inbox.push({ order: this.#order(), frame: null });
    this.#changed();
  }

  terminate(): void {
    this.finish({ clean: false, text: "terminated" });
    this.peer?.finish({ clean: false, text: "the other end is gone" });
  }

  /** The medium took this many bytes of ours. */
  taken(bytes: number): void {
    this.#queued -= bytes;
    if (!this.#full || this.#queued >= highWater / 2) return;
    this.#full = false;
    this.#events?.drain();
  }

  deliver(frame: Uint8Array): void {
    if (!this.open) return;
    const view = frame.slice();
    this.#events?.frame(view);
    view.fill(0xee);
  }

  finish(reason: TransportClosed): void {
    if (!this.open) return;
    this.open = false;
    this.inbox = [];
    this.#queued = 0;
    this.#closed = reason;
    this.#events?.closed(reason);
  }
}
