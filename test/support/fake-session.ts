/**
 * A session without a program for tests of streams: a real history, and an "emulator" whose screen is a digest of every byte and of the
 * size it was written at. A receiver that applied exactly the output has the same digest, whichever snapshots and resumes lay between; one
 * byte lost, repeated or written at another size and it has another.
 */
import { History, type Reader } from "../../agent/history.js";
import type { StreamSnapshot, StreamSource } from "../../agent/stream.js";
import type { ExitStatus, Size } from "../../protocol/values.js";
import type { Clock } from "../../transport/transport.js";

const reset = "\u001bc";

/** An emulator reduced to what order and completeness need. */
export class DigestEmulator {
  #digest = 0x811c9dc5;
  #size: Size;

  constructor(size: Size) {
    this.#size = size;
  }

  get size(): Size {
    return this.#size;
  }

  get digest(): string {
    return `${this.#digest.toString(16)}@${this.#size.cols}x${this.#size.rows}`;
  }

  write(bytes: Uint8Array): void {
    for (const byte of bytes) {
      this.#mix(byte);
      this.#mix(this.#size.cols * 1024 + this.#size.rows);
    }
  }

  resize(size: Size): void {
    this.#size = size;
  }

  /** The state as bytes, `padding` of them for the lines of scrollback. */
  serialize(padding: number): Uint8Array {
    return new TextEncoder().encode(`${reset}${this.#digest}${" ".repeat(padding)}`);
  }

  /** Takes a whole snapshot in. */
  load(bytes: Uint8Array, size: Size): void {
    const text = new TextDecoder().decode(bytes);
    if (!text.startsWith(reset)) throw new Error("a snapshot that does not begin with RIS");
    this.#digest = Number(text.slice(reset.length).trim());
    this.#size = size;
  }

  #mix(value: number): void {
    this.#digest = Math.imul(this.#digest ^ value, 0x01000193) >>> 0;
  }
}

export class FakeSession implements StreamSource {
  readonly sessionId = "0123456789abcdef01234567";
  readonly history: History;
  readonly ringBytes: number;
  readonly scrollback: number;
  exit: ExitStatus | null = null;
  lastOutput: number;
  mismatches = 0;
  readonly holders = new Set<object>();
  /** Snapshots taken so far, by lines asked for. */
  readonly snapshots: number[] = [];
  readonly #clock: Clock;
  readonly #emulator: DigestEmulator;
  readonly #reader: Reader;
  #waiting: { scrollback: number; done: (snapshot: StreamSnapshot) => void }[] = [];

  constructor(options: { clock: Clock; size?: Size; ringBytes?: number; pieceBytes?: number; scrollback?: number }) {
    const size = options.size ?? { cols: 80, rows: 24 };
    this.ringBytes = options.ringBytes ?? 4096;
    this.scrollback = options.scrollback ?? 1000;
    this.history = new History(size, { bytes: this.ringBytes, pieceBytes: options.pieceBytes ?? 256 });
    this.#clock = options.clock;
    this.#emulator = new DigestEmulator(size);
    this.#reader = this.history.reader(0, { pin: true });
    this.lastOutput = options.clock.now();
  }

  get backlog(): number {
    return this.history.end - this.#reader.seq;
  }

  /** What every exact receiver has at the end of the output. */
  get digest(): string {
    this.parse();
    return this.#emulator.digest;
  }

  print(bytes: Uint8Array, cost = bytes.length): void {
    this.history.append(bytes, cost);
    this.lastOutput = this.#clock.now();
  }

  resize(size: Size): void {
    this.history.mark(size);
  }

  /** The emulator reads on, at most this many bytes. */
  parse(bytes = Number.MAX_SAFE_INTEGER): void {
    let left = bytes;
    for (let slice = this.#reader.next(left, Number.MAX_SAFE_INTEGER); slice !== null; ) {
      if (slice.kind === "size") this.#emulator.resize(slice.size);
      else {
        this.#emulator.write(slice.bytes);
        left -= slice.bytes.length;
      }
      slice = this.#reader.next(left, Number.MAX_SAFE_INTEGER);
    }
  }

  /** Snapshots are made only by `answer`, so that tests decide what happens between asking and having. */
  snapshot({ scrollback }: { scrollback: number }): Promise<StreamSnapshot> {
    return new Promise((done) => this.#waiting.push({ scrollback, done }));
  }

  get asked(): number {
    return this.#waiting.length;
  }

  /**
   * Makes every snapshot that was asked for, where the emulator stands (all the way at the end unless told). `before`: what happens while
   * it is on its way.
   */
  async answer(parse = Number.MAX_SAFE_INTEGER, before: () => void = () => {}): Promise<void> {
    this.parse(parse);
    const made = this.#waiting.splice(0).map(({ scrollback, done }) => {
      this.snapshots.push(scrollback);
      return { done, snapshot: { at: this.#reader.seq, size: this.#emulator.size, bytes: this.#emulator.serialize(scrollback) } };
    });
    before();
    for (const { done, snapshot } of made) done(snapshot);
    // The asker goes on in a later turn.
    await Promise.resolve();
    await Promise.resolve();
  }

  hash(at: number): Promise<string | null> {
    this.parse(Math.max(0, at - this.#reader.seq));
    return Promise.resolve(this.#reader.seq === at ? this.#emulator.digest : null);
  }

  mismatched(): void {
    this.mismatches += 1;
  }

  hold(by: object): void {
    this.holders.add(by);
  }

  release(by: object): void {
    this.holders.delete(by);
  }
}
