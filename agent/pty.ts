/**
 * One pty and its child: the only place that knows the pty library, of which it uses the fork and the resize alone. Reading, writing,
 * the end and the kill ladder are ours, because the library's lose output at exit and while paused, spin while a program does not read,
 * and end 200 ms late. Owns both descriptors. Refuses to decode bytes, to keep output, and to know sessions.
 */

import { closeSync, constants, openSync, readSync, writeSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { ReadStream } from "node:tty";
import * as library from "@lydell/node-pty";
import { fail, ok, type Result } from "../protocol/errors.js";
import type { ExitStatus, SignalName, Size } from "../protocol/values.js";
import { roomForSession } from "./headroom.js";
import { foregroundGroup, groupLives, hitGroup, signalName } from "./process-group.js";
import { checkStart, errorCode, machineName } from "./program.js";

export interface PtyEvents {
  /** Output in order; the bytes are the receiver's to keep. Not called while paused. */
  data(bytes: Uint8Array): void;
  /** Once, after the last byte of output. Signals carry their full name, as in `SIGKILL`. */
  exit(status: ExitStatus): void;
}

export interface Pty {
  /** Process id of the child, which leads its session and its process group. */
  readonly pid: number;
  /** Queues bytes for the program; `taken` is called when the kernel has all of them. In order, at the program's pace. */
  write(bytes: Uint8Array, taken: () => void): void;
  /** Forgets queued bytes the kernel has not taken; their `taken` never runs. Returns how many bytes those were. */
  dropUnwritten(): number;
  resize(size: Size): void;
  /** Stops reading, so that the program blocks. What is unread stays in the kernel, also after the child's death. */
  pause(): void;
  resume(): void;
  /** Process group in the foreground; null when there is none any more. */
  foreground(): number | null;
  /** Sends a signal to the foreground group. Failures: `ended`, `not-permitted`. */
  signal(name: SignalName): Result<Record<string, never>>;
  /** Ends the child: HUP, TERM, KILL to its group and the foreground's, within 5 s. Resolves when they are gone. */
  kill(): Promise<void>;
}

/** One read collects at most this much; a larger turn would keep other sessions waiting. */
const readBytes = 64 * 1024;

/** A read at least this long hints at more: read on without asking the event loop. Keystroke echoes stay below. */
const readOnBytes = 256;

/** One turn of writing: the rest waits for the next turn, so that a paste does not hold up other sessions. */
const writeTurnBytes = 256 * 1024;

/**
 * Pauses while the kernel's input buffer is full, in ms, doubling. Node tells nobody when a pty becomes writable, so a program that
 * does not read costs 30 attempts a second; a reading one is asked again after 1 ms, by when it may have taken 64 KiB.
 */
const firstWaitMs = 1;
const longestWaitMs = 32;

/** When the steps of the ladder come, in ms after the first; the whole ends before 5 s. */
const ladder = [
  { after: 0, signal: "SIGHUP" },
  { after: 1500, signal: "SIGTERM" },
  { after: 3000, signal: "SIGKILL" },
] as const;
const ladderEndMs = 4500;
const ladderLookMs = 20;

/**
 * Most that is read after the child was reaped. The kernel holds less than 128 KiB of a program's output; beyond this it is another
 * process that writes on, and the session must end all the same.
 */
const tailBytes = 1024 * 1024;

interface Forked {
  fd: number;
  pid: number;
  pty: string;
}

/** The two functions of the library's native half that are used; the exact version is pinned, and the pty tests walk both. */
interface Native {
  fork(
    file: string,
    args: string[],
    env: string[],
    cwd: string,
    cols: number,
    rows: number,
    uid: number,
    gid: number,
    utf8: boolean,
    helper: string,
    exited: (code: number, signal: number) => void,
  ): Forked;
  resize(fd: number, cols: number, rows: number, pixelWidth: number, pixelHeight: number): void;
}

/**
 * Starts a program on a pty of its own. Everything that can be known before the fork is a typed failure with a sentence:
 * `spawn-failed`, `not-found` or `not-permitted` (the folder), `invalid`, `limit` (descriptors, ptys, processes, argument length).
 */
export function spawnPty(
  options: { command: string[]; cwd: string; env: Record<string, string>; size: Size },
  events: PtyEvents,
): Result<Pty> {
  if (process.platform === "win32") {
    return fail("spawn-failed", "Sessions cannot run on Windows yet. No session was started. Use a machine with Linux or macOS.");
  }
  const native = nativeHalf();
  if (native === null) {
    return fail("spawn-failed", `The pty library on ${machineName()} does not fit. No session was started. Install Muxdeck again.`);
  }
  const program = checkStart(options);
  if (!program.ok) return program;
  return roomForSession() ? UnixPty.start(native, options, events) : exhausted();
}

function exhausted(): Result<never> {
  return fail(
    "limit",
    `${machineName()} has no terminal, process or file descriptor left. No session was started; the others go on. End some, or raise the limit.`,
    { retry: "later" },
  );
}

class UnixPty implements Pty {
  readonly pid: number;
  readonly #native: Native;
  readonly #fd: number;
  readonly #events: PtyEvents;
  readonly #socket: ReadStream;
  readonly #scratch: Buffer;
  /**
   * Our own descriptor of the slave. While it is open the kernel never reports a hang-up, which libuv takes for the end of file with
   * output still unread, and a program that closes its terminal and opens it again is not taken for gone.
   */
  readonly #slave: number;
  #status: ExitStatus | null = null;
  #closed = false;
  #paused = false;
  /** Read by libuv although paused: Node starts reading once more when a pause follows a resume in the same turn. */
  #held: Buffer[] = [];
  #draining = false;
  #tail = 0;
  readonly #unwritten: { bytes: Uint8Array; taken: () => void }[] = [];
  #offset = 0;
  #writing = false;
  #waitMs = firstWaitMs;
  #writeTimer: NodeJS.Timeout | null = null;
  #killed: Promise<void> | null = null;
  readonly #onGone: (() => void)[] = [];

  static start(
    native: Native,
    options: { command: string[]; cwd: string; env: Record<string, string>; size: Size },
    events: PtyEvents,
  ): Result<Pty> {
    const [file = "", ...args] = options.command;
    const env = Object.entries({ ...options.env, PWD: options.cwd }).map(([name, value]) => `${name}=${value}`);
    const { cols, rows } = options.size;
    let started: UnixPty | null = null;
    let early: ExitStatus | null = null;
    const exited = (code: number, signal: number): void => {
      // The library gives code 0 beside a signal.
      const status = signal > 0 ? { signal: signalName(signal) } : { code };
      if (started === null) early = status;
      else started.#exited(status);
    };
    let forked: Forked;
    try {
      forked = native.fork(file, args, env, options.cwd, cols, rows, -1, -1, false, helperPath(), exited);
    } catch {
      return exhausted();
    }
    // Same turn as the fork: the child may be gone, but its output waits in the kernel as long as the master is open.
    let slave: number;
    try {
      slave = openSync(forked.pty, constants.O_RDWR | constants.O_NOCTTY);
    } catch {
      abandon(forked);
      return exhausted();
    }
    try {
      started = new UnixPty(native, forked, slave, events);
    } catch {
      closeSync(slave);
      abandon(forked);
      return exhausted();
    }
    if (early !== null) started.#exited(early);
    return ok(started);
  }

  private constructor(native: Native, forked: Forked, slave: number, events: PtyEvents) {
    this.pid = forked.pid;
    this.#native = native;
    this.#fd = forked.fd;
    this.#slave = slave;
    this.#events = events;
    this.#scratch = Buffer.allocUnsafeSlow(readBytes);
    const options = {
      allowHalfOpen: true,
      onread: { buffer: this.#scratch, callback: (length: number) => this.#readable(length) },
    };
    this.#socket = new ReadStream(forked.fd, options);
    // A terminal that fails has said its last word; the child's exit still comes.
    this.#socket.on("error", () => {});
    this.#socket.resume();
  }

  write(bytes: Uint8Array, taken: () => void): void {
    if (this.#closed) return;
    this.#unwritten.push({ bytes, taken });
    if (this.#writeTimer === null) this.#writeSome();
  }

  dropUnwritten(): number {
    let dropped = 0 - this.#offset;
    for (const { bytes } of this.#unwritten) dropped += bytes.length;
    this.#unwritten.length = 0;
    this.#offset = 0;
    this.#stopWriting();
    return dropped;
  }

  resize(size: Size): void {
    if (this.#socket.destroyed || this.#status !== null) return;
    try {
      this.#native.resize(this.#fd, size.cols, size.rows, 0, 0);
    } catch {
      // The terminal was hung up an instant ago; the child's exit follows.
    }
  }

  pause(): void {
    if (this.#paused || this.#closed) return;
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#paused || this.#closed) return;
    this.#paused = false;
    this.#release();
    if (this.#paused) return;
    if (this.#status === null) this.#socket.resume();
    else this.#drainSoon();
  }

  foreground(): number | null {
    if (this.#status !== null) return null;
    return foregroundGroup(this.pid);
  }

  signal(name: SignalName): Result<Record<string, never>> {
    const ended = fail("ended", "The program has ended. No signal was sent.");
    if (this.#status !== null) return ended;
    const group = this.foreground();
    // Without a foreground group (between two jobs) the shell's own is the one at the terminal.
    for (const target of group === null ? [this.pid] : [group, this.pid]) {
      try {
        process.kill(-target, `SIG${name}`);
        return ok({});
      } catch (error) {
        if (errorCode(error) === "EPERM") {
          return fail("not-permitted", `The program in the foreground belongs to another user. SIG${name} was not sent.`);
        }
      }
    }
    return ended;
  }

  kill(): Promise<void> {
    this.#killed ??= this.#climb();
    return this.#killed;
  }

  /**
   * Each step goes to the child's group and to every group seen in the foreground since the start of the ladder, so that a program
   * that outlives its shell is not left behind.
   */
  #climb(): Promise<void> {
    return new Promise((resolve) => {
      const groups = new Set([this.pid]);
      const begun = performance.now();
      let step = 0;
      const look = (): void => {
        const group = this.foreground();
        if (group !== null) groups.add(group);
        const passed = performance.now() - begun;
        for (const one of groups) {
          // The child's own id cannot be given to another process before it was reaped; of other groups only the living are kept.
          const alive = one === this.pid && this.#status === null ? true : groupLives(one);
          if (!alive) groups.delete(one);
        }
        if ((groups.size === 0 && this.#status !== null) || passed >= ladderEndMs) {
          clearInterval(timer);
          resolve();
          return;
        }
        for (let next = ladder[step]; next !== undefined && passed >= next.after; next = ladder[++step]) {
          for (const one of groups) hitGroup(one, next.signal);
        }
      };
      const timer = setInterval(look, ladderLookMs);
      this.#onGone.push(look);
      look();
    });
  }

  /** libuv has read `length` bytes into the scratch buffer; whatever else waits is taken along, in one piece. */
  #readable(length: number): boolean {
    let filled = length;
    let last = length;
    while (last >= readOnBytes && filled < readBytes) {
      last = this.#read(filled);
      filled += last;
    }
    if (this.#paused) {
      this.#held.push(this.#copy(filled));
      return false;
    }
    this.#events.data(this.#copy(filled));
    return true;
  }

  /** Reads once into the scratch buffer; 0 when nothing waits or the terminal is hung up. */
  #read(at: number): number {
    // A stream that failed has closed the descriptor, and its number may be another's by now.
    if (this.#socket.destroyed) return 0;
    try {
      return readSync(this.#fd, this.#scratch, at, readBytes - at, null);
    } catch {
      return 0;
    }
  }

  #copy(length: number): Buffer {
    const bytes = Buffer.allocUnsafeSlow(length);
    this.#scratch.copy(bytes, 0, 0, length);
    return bytes;
  }

  /** Hands over what came while paused; stops when that makes the receiver pause again. */
  #release(): void {
    while (!this.#paused) {
      const bytes = this.#held.shift();
      if (bytes === undefined) return;
      this.#events.data(bytes);
    }
  }

  #exited(status: ExitStatus): void {
    this.#status = status;
    this.#stopWriting();
    this.#socket.pause();
    for (const tell of this.#onGone) tell();
    if (!this.#paused) this.#drainSoon();
  }

  #drainSoon(): void {
    if (this.#draining) return;
    this.#draining = true;
    setImmediate(() => {
      this.#draining = false;
      if (!this.#paused && !this.#closed) this.#drain();
    });
  }

  /**
   * After the child was reaped: reads one turn of what is left. A read that finds nothing is the end, at once: before the kernel says
   * so it has moved everything written on the slave side to the master's. Output of a background job that keeps the terminal and
   * writes on is not waited for.
   */
  #drain(): void {
    let filled = 0;
    let last = -1;
    while (last !== 0 && filled < readBytes) {
      last = this.#read(filled);
      filled += last;
    }
    if (filled > 0) this.#events.data(this.#copy(filled));
    this.#tail += filled;
    if (last !== 0 && this.#tail < tailBytes) {
      if (!this.#paused) this.#drainSoon();
      return;
    }
    this.#closed = true;
    closeSync(this.#slave);
    this.#socket.destroy();
    this.#events.exit(this.#status ?? { code: 0 });
  }

  /**
   * Writes on the descriptor itself, which is non-blocking, and never through the thread pool: a write in flight could hit whoever
   * gets the descriptor's number next.
   */
  #writeSome(): void {
    if (this.#writing) return;
    this.#writing = true;
    let turn = 0;
    while (this.#writeTimer === null && this.#status === null) {
      const first = this.#unwritten[0];
      if (first === undefined) break;
      const asked = Math.min(first.bytes.length - this.#offset, writeTurnBytes - turn);
      const written = asked === 0 ? 0 : this.#tryWrite(first.bytes, asked);
      turn += written;
      this.#offset += written;
      if (written > 0) this.#waitMs = firstWaitMs;
      if (this.#offset === first.bytes.length) {
        this.#unwritten.shift();
        this.#offset = 0;
        first.taken();
      } else if (written < asked) {
        this.#writeLater(this.#waitMs);
        this.#waitMs = Math.min(this.#waitMs * 2, longestWaitMs);
      } else if (turn >= writeTurnBytes) {
        this.#writeLater(0);
      }
    }
    this.#writing = false;
  }

  #tryWrite(bytes: Uint8Array, length: number): number {
    if (this.#socket.destroyed) return 0;
    try {
      return writeSync(this.#fd, bytes, this.#offset, length, null);
    } catch {
      // EAGAIN: the program does not read. EIO: the terminal is hung up; the exit follows and stops this.
      return 0;
    }
  }

  #writeLater(ms: number): void {
    this.#writeTimer = setTimeout(() => {
      this.#writeTimer = null;
      this.#writeSome();
    }, ms);
  }

  #stopWriting(): void {
    if (this.#writeTimer !== null) clearTimeout(this.#writeTimer);
    this.#writeTimer = null;
    this.#waitMs = firstWaitMs;
  }
}

/** Ends a child whose terminal cannot be served; the library's thread reaps it. */
function abandon(forked: Forked): void {
  hitGroup(forked.pid, "SIGKILL");
  try {
    closeSync(forked.fd);
  } catch {
    // Already closed by a stream that failed half-way.
  }
}

function nativeHalf(): Native | null {
  const half: unknown = Reflect.get(library, "native");
  return isNative(half) ? half : null;
}

function isNative(half: unknown): half is Native {
  return (
    typeof half === "object" &&
    half !== null &&
    "fork" in half &&
    typeof half.fork === "function" &&
    "resize" in half &&
    typeof half.resize === "function"
  );
}

/** macOS forks through a small program that lies beside the library's native half; elsewhere the path is not used. */
function helperPath(): string {
  if (process.platform !== "darwin") return "";
  const loaded = Object.keys(createRequire("/").cache).find((file) => file.endsWith("/pty.node"));
  const folder = loaded === undefined ? "" : dirname(loaded);
  return join(folder, "spawn-helper").replace(/\b(app|node_modules)\.asar\b/, "$1.asar.unpacked");
}
