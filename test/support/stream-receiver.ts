/**
 * What a client makes of one stream, reduced to what can be checked: an emulator's digest, the position, everything said. Owns the rules a
 * sending half must keep (positions without a hole, screens whole, markers in their place) and fails at the frame that breaks one.
 */
import { expect } from "vitest";
import type { StreamPort } from "../../agent/stream.js";
import type { Failure } from "../../protocol/errors.js";
import type { AgentMessage } from "../../protocol/messages.js";
import { DigestEmulator } from "./fake-session.js";

export class StreamReceiver implements StreamPort {
  readonly said: AgentMessage[] = [];
  emulator = new DigestEmulator({ cols: 80, rows: 24 });
  next: number | null = null;
  carried = 0;
  skipped = 0;
  /** Bytes are missing that no screen stands for. */
  gap = false;
  finishedWith: Failure | null | undefined;
  wakes = 0;
  #collecting: Uint8Array[] | null = null;
  #expected = 0;

  control(message: AgentMessage): void {
    this.said.push(message);
    switch (message.t) {
      case "attached":
        this.next = message.start === "snapshot" ? null : message.seq;
        this.skipped += message.skipped;
        if (message.start !== "snapshot" && message.skipped > 0) this.gap = true;
        this.emulator.resize(message.size);
        if (message.start === "snapshot") this.#collect(message.snapshotBytes);
        break;
      case "reset":
        this.skipped += message.skipped;
        // Only a lagging viewer misses output.
        if (message.reason !== "lag") expect([message.skipped, message.at <= (this.next ?? -1)]).toEqual([0, true]);
        this.#collect(message.snapshotBytes);
        break;
      case "snapshot-end": {
        const whole = Buffer.concat(this.#collecting ?? []);
        expect(whole.length).toBe(this.#expected);
        this.emulator.load(whole, { cols: message.cols, rows: message.rows });
        this.gap = false;
        this.#collecting = null;
        this.next = message.at;
        break;
      }
      case "resized":
        expect(this.#collecting).toBeNull();
        expect(message.at).toBe(this.next);
        this.emulator.resize({ cols: message.cols, rows: message.rows });
        break;
      case "exit":
        expect(message.seq).toBe(this.next);
        break;
      default:
        break;
    }
  }

  bytes(kind: "data" | "snapshot", position: number, data: Uint8Array): void {
    this.carried += data.length;
    if (kind === "snapshot") {
      expect(position).toBe(this.#collecting?.reduce((sum, part) => sum + part.length, 0));
      this.#collecting?.push(data.slice());
    } else {
      expect(this.#collecting).toBeNull();
      expect(position).toBe(this.next);
      this.next = position + data.length;
      this.emulator.write(data);
    }
  }

  ready(): void {
    this.wakes += 1;
  }

  finished(error: Failure | null): void {
    expect(this.finishedWith).toBeUndefined();
    this.finishedWith = error;
  }

  /** In the middle of a snapshot, which a cut makes worthless. */
  get collecting(): boolean {
    return this.#collecting !== null;
  }

  get types(): string[] {
    return this.said.map((message) => (message.t === "reset" ? `reset:${message.reason}` : message.t));
  }

  #collect(length: number): void {
    this.#collecting = [];
    this.#expected = length;
  }
}
