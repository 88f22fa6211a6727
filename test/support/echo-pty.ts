/**
 * A pty without a program: it echoes like `cat`, or does what a test says. Owns a record of everything that reached it, which is how tests
 * see that an observer caused nothing. Nothing happens by itself: output comes when told, exits too.
 */
import type { PtyEvents } from "../../agent/pty.js";
import type { SessionPty } from "../../agent/session.js";
import { ok, type Result } from "../../protocol/errors.js";
import type { ExitStatus, SignalName, Size } from "../../protocol/values.js";

export class EchoPty implements SessionPty {
  readonly pid = 4242;
  /** Whether what is written comes back as output. */
  echo = true;
  /** A program that does not read: what is written waits until `read`. */
  reads = true;
  /** What `kill` does after the hangup; null: ends at once. */
  onKill: (() => void) | null = null;
  readonly written: Uint8Array[] = [];
  readonly sizes: Size[] = [];
  readonly signals: SignalName[] = [];
  kills = 0;
  paused = false;
  ended = false;
  #held: Uint8Array[] = [];
  #waiting: { bytes: Uint8Array; taken: () => void }[] = [];

  constructor(readonly events: PtyEvents) {}

  /** Everything written, as text. */
  get text(): string {
    return Buffer.concat(this.written).toString("latin1");
  }

  /** Nothing of any kind reached it since the start. */
  get untouched(): boolean {
    return (
      this.written.length === 0 && this.sizes.length === 0 && this.signals.length === 0 && this.kills === 0 && this.#waiting.length === 0
    );
  }

  write(bytes: Uint8Array, taken: () => void): void {
    this.#waiting.push({ bytes: bytes.slice(), taken });
    if (this.reads) this.read();
  }

  /** The program reads this many bytes (all of them unless told). */
  read(count = Number.MAX_SAFE_INTEGER): void {
    for (let left = count; left > 0; ) {
      const first = this.#waiting[0];
      if (first === undefined) return;
      const part = first.bytes.subarray(0, left);
      left -= part.length;
      this.written.push(part);
      first.bytes = first.bytes.subarray(part.length);
      const whole = first.bytes.length === 0;
      if (whole) this.#waiting.shift();
      if (this.echo) this.print(part);
      if (whole) first.taken();
      else return;
    }
  }

  dropUnwritten(): number {
    const dropped = this.#waiting.reduce((sum, { bytes }) => sum + bytes.length, 0);
    this.#waiting = [];
    return dropped;
  }

  resize(size: Size): void {
    this.sizes.push(size);
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    for (const bytes of this.#held.splice(0)) this.events.data(bytes);
  }

  signal(name: SignalName): Result<Record<string, never>> {
    this.signals.push(name);
    return ok({});
  }

  kill(): Promise<void> {
    this.kills += 1;
    if (this.onKill === null) this.exit({ signal: "SIGHUP" });
    else this.onKill();
    return Promise.resolve();
  }

  /** The program prints. While paused it stays in the kernel. */
  print(output: string | Uint8Array): void {
    const bytes = typeof output === "string" ? new TextEncoder().encode(output) : output;
    if (this.paused) this.#held.push(bytes);
    else this.events.data(bytes);
  }

  exit(status: ExitStatus): void {
    if (this.ended) return;
    this.ended = true;
    if (this.paused) this.resume();
    this.events.exit(status);
  }
}
