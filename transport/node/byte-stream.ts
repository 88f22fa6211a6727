/**
 * Frames on a byte stream: 4 bytes of length (big endian), then the frame; a length of 0 says goodbye. Owns cutting and joining, bounds
 * and the level of `drain`. A stream that ends without a goodbye is a broken link, which a killed peer looks like.
 */
import type { Readable, Writable } from "node:stream";
import { maxFrameLength } from "../../protocol/frame.js";
import { highWater, type Transport, type TransportClosed, type TransportEvents } from "../transport.js";

/** Up to here header and frame are copied together; above, two buffers in one write are cheaper. */
const joinBelow = 4096;
/** How long a goodbye waits for a peer that does not read. */
const goodbyeMs = 2000;

export interface ByteStream {
  readable: Readable;
  writable: Writable;
  /** Ends both at once. */
  destroy(): void;
}

export function byteStreamTransport(stream: ByteStream): Transport {
  return new ByteStreamTransport(stream);
}

class ByteStreamTransport implements Transport {
  readonly #stream: ByteStream;
  readonly #cutter = new FrameCutter();
  #events: TransportEvents | null = null;
  #closed: TransportClosed | null = null;
  #closing = false;
  #goodbyeHeard = false;
  #full = false;
  #corked = false;
  #goodbyeTimer: NodeJS.Timeout | null = null;

  constructor(stream: ByteStream) {
    this.#stream = stream;
    const { readable, writable } = stream;
    readable.on("error", (error: Error) => this.#finish({ clean: false, text: error.message }));
    writable.on("error", (error: Error) => this.#finish({ clean: false, text: error.message }));
    readable.on("end", () => this.#ended());
    readable.on("close", () => this.#ended());
    writable.on("close", () => this.#ended());
  }

  get queued(): number {
    return this.#stream.writable.writableLength;
  }

  listen(events: TransportEvents): void {
    this.#events = events;
    if (this.#closed) {
      events.closed(this.#closed);
      return;
    }
    this.#stream.readable.on("data", (chunk: Buffer) => this.#data(chunk));
  }

  send(frame: Uint8Array): void {
    if (this.#closed || this.#closing) return;
    this.#write(frame);
    if (this.queued >= highWater) this.#full = true;
  }

  close(): void {
    if (this.#closed || this.#closing) return;
    this.#closing = true;
    this.#stream.writable.end(Buffer.alloc(4));
    this.#goodbyeTimer = setTimeout(() => this.terminate(), goodbyeMs);
    this.#goodbyeTimer.unref();
    // Nobody listens any more for a peer's frames, but its goodbye must still be read for the stream to end.
    this.#stream.readable.resume();
  }

  terminate(): void {
    this.#finish({ clean: false, text: "terminated" });
  }

  #write(frame: Uint8Array): void {
    const { writable } = this.#stream;
    if (frame.length <= joinBelow) {
      const joined = Buffer.allocUnsafe(4 + frame.length);
      joined.writeUInt32BE(frame.length, 0);
      joined.set(frame, 4);
      this.#cork();
      writable.write(joined, this.#written);
      return;
    }
    const header = Buffer.allocUnsafe(4);
    header.writeUInt32BE(frame.length, 0);
    this.#cork();
    writable.write(header);
    writable.write(frame, this.#written);
  }

  /** What is sent within one turn goes out in one system call. */
  #cork(): void {
    if (this.#corked) return;
    this.#corked = true;
    const { writable } = this.#stream;
    writable.cork();
    process.nextTick(() => {
      this.#corked = false;
      writable.uncork();
    });
  }

  readonly #written = (error?: Error | null): void => {
    if (error || this.#closed || !this.#full || this.queued >= highWater / 2) return;
    this.#full = false;
    this.#events?.drain();
  };

  #data(chunk: Buffer): void {
    const problem = this.#cutter.push(chunk, (frame) => {
      if (this.#closed || this.#closing) return;
      if (frame.length === 0) this.#goodbyeHeard = true;
      else this.#events?.frame(frame);
    });
    if (problem) this.#finish({ clean: false, text: problem });
    else if (this.#goodbyeHeard && !this.#closing) this.close();
  }

  #ended(): void {
    if (this.#goodbyeHeard || this.#closing) this.#finish({ clean: true, text: "closed" });
    else this.#finish({ clean: false, text: "the other end went away without a word" });
  }

  #finish(reason: TransportClosed): void {
    if (this.#closed) return;
    this.#closed = reason;
    if (this.#goodbyeTimer) clearTimeout(this.#goodbyeTimer);
    this.#stream.destroy();
    this.#events?.closed(reason);
  }
}

/** Cuts a byte stream into frames. A whole frame is a view on the chunk; one that spans chunks is collected in a buffer of its own. */
export class FrameCutter {
  readonly #header = Buffer.alloc(4);
  #headerLength = 0;
  #frame: Buffer | null = null;
  #filled = 0;

  /** Returns what is wrong, or null. After a problem the cutter must not be used. */
  push(chunk: Buffer, frame: (frame: Uint8Array) => void): string | null {
    let at = 0;
    while (at < chunk.length) {
      if (this.#frame) {
        const take = Math.min(this.#frame.length - this.#filled, chunk.length - at);
        this.#frame.set(chunk.subarray(at, at + take), this.#filled);
        this.#filled += take;
        at += take;
        if (this.#filled < this.#frame.length) return null;
        const whole = this.#frame;
        this.#frame = null;
        frame(whole);
        continue;
      }
      while (this.#headerLength < 4 && at < chunk.length) {
        this.#header[this.#headerLength++] = chunk[at++] ?? 0;
      }
      if (this.#headerLength < 4) return null;
      this.#headerLength = 0;
      const length = this.#header.readUInt32BE(0);
      if (length > maxFrameLength) return `a frame of ${length} bytes was announced; 1 MiB is the limit`;
      if (chunk.length - at >= length) {
        frame(chunk.subarray(at, at + length));
        at += length;
      } else {
        this.#frame = Buffer.allocUnsafe(length);
        this.#filled = 0;
      }
    }
    return null;
  }
}
