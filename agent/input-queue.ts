/**
 * What a session's program is yet to read: one lane a holder, and the answers to terminal queries before them all. Owns the order (one
 * message is written whole before another lane's begins) and the bound of a lane. Knows no roles and no positions.
 */

/** The writing half of a pty. */
export interface InputSink {
  /** Takes bytes in order; `taken` is called when the kernel has all of them. */
  write(bytes: Uint8Array, taken: () => void): void;
  /** Forgets what was not taken; its `taken` never runs. Returns how many bytes those were. */
  dropUnwritten(): number;
}

/** Bytes of one lane that wait; more is refused. A program that does not read must not fill the agent. */
export const laneBytes = 1024 * 1024;
/** Answers that wait for a program which asks and never reads. */
const answerBytes = 16 * 1024;

interface Message {
  bytes: Uint8Array;
  taken: () => void;
}

/** One holder's part of the queue. */
export interface Lane {
  readonly waiting: number;
}

class QueueLane implements Lane {
  waiting = 0;
  readonly messages: Message[] = [];
}

export class InputQueue {
  readonly #sink: InputSink;
  /** Lanes with messages, the next one first; without the lane that is being written, which comes after all others. */
  #order: QueueLane[] = [];
  readonly #lanes = new WeakMap<Lane, QueueLane>();
  readonly #answers = new QueueLane();
  #current: { lane: QueueLane; message: Message } | null = null;
  #writing = false;
  #closed = false;

  constructor(sink: InputSink) {
    this.#sink = sink;
  }

  lane(): Lane {
    const lane = new QueueLane();
    this.#lanes.set(lane, lane);
    return lane;
  }

  /** Queues one message, which is copied; `taken` runs when the pty has all of it. False: the lane is full, and nothing was queued. */
  add(lane: Lane, bytes: Uint8Array, taken: () => void): boolean {
    const own = this.#lanes.get(lane);
    if (own === undefined || this.#closed || own.waiting + bytes.length > laneBytes) return false;
    this.#push(own, { bytes: bytes.slice(), taken });
    return true;
  }

  /** Queues the answer to a terminal query, before everything that is not being written yet. False: too many wait, and it is dropped. */
  answer(bytes: Uint8Array): boolean {
    if (this.#closed || this.#answers.waiting + bytes.length > answerBytes) return false;
    this.#push(this.#answers, { bytes, taken: () => {} });
    return true;
  }

  /** Drops what a lane has waiting, also the rest of a message that is being written. Returns how many bytes those were. */
  cancel(lane: Lane): number {
    const own = this.#lanes.get(lane);
    if (own === undefined) return 0;
    let dropped = 0;
    if (this.#current?.lane === own) {
      dropped = this.#sink.dropUnwritten();
      own.waiting -= this.#current.message.bytes.length;
      this.#current = null;
    }
    dropped += own.waiting;
    own.waiting = 0;
    own.messages.length = 0;
    this.#order = this.#order.filter((one) => one !== own);
    this.#next();
    return dropped;
  }

  /** The program is gone: nothing is written any more. */
  close(): void {
    this.#closed = true;
    this.#order = [];
    this.#current = null;
  }

  #push(lane: QueueLane, message: Message): void {
    lane.waiting += message.bytes.length;
    lane.messages.push(message);
    if (lane.messages.length === 1 && this.#current?.lane !== lane) this.#enqueue(lane);
    this.#next();
  }

  #enqueue(lane: QueueLane): void {
    if (lane === this.#answers) this.#order.unshift(lane);
    else this.#order.push(lane);
  }

  /** A loop, not a recursion: a sink may take a message at once. */
  #next(): void {
    if (this.#writing) return;
    this.#writing = true;
    while (this.#current === null && !this.#closed) {
      const lane = this.#order.shift();
      const message = lane?.messages.shift();
      if (lane === undefined || message === undefined) break;
      const current = { lane, message };
      this.#current = current;
      this.#sink.write(message.bytes, () => this.#taken(current));
    }
    this.#writing = false;
  }

  #taken(current: { lane: QueueLane; message: Message }): void {
    // After a cancel the sink has forgotten it; one that calls all the same changes nothing.
    if (this.#current !== current) return;
    this.#current = null;
    current.lane.waiting -= current.message.bytes.length;
    if (current.lane.messages.length > 0) this.#enqueue(current.lane);
    current.message.taken();
    this.#next();
  }
}
