/**
 * The terminal that this program runs in, while a session has it. Owns raw mode and giving everything back, whatever ends the program short
 * of SIGKILL: the line settings as they were, and what the session's output switched. Reads no keys.
 */
import { execFileSync } from "node:child_process";
import { writeSync } from "node:fs";
import { constants } from "node:os";
import { isatty } from "node:tty";
import type { Size } from "../protocol/values.js";
import type { TerminalModes } from "./terminal-modes.js";

/** How long the last bytes may wait for a terminal that does not take them. */
const patienceMs = 500;

/** stty waits until the terminal has taken what was written; one that never does gets its settings back from Node, which does not wait. */
const sttyMs = 1000;

const endings = ["SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT"] as const;

export class LocalTerminal {
  readonly #modes: TerminalModes;
  readonly #handlers: [NodeJS.Signals, () => void][] = [];
  /** Line settings as stty prints them; null where standard input is no terminal. */
  #settings: string | null = null;
  #held = false;
  #taken = false;
  readonly #giveBack = (): void => this.release();

  constructor(modes: TerminalModes) {
    this.#modes = modes;
  }

  /** The size of the screen; null where standard output is no terminal. */
  get size(): Size | null {
    if (!process.stdout.isTTY) return null;
    const { columns, rows } = process.stdout;
    return { cols: Math.min(1000, Math.max(2, columns)), rows: Math.min(1000, Math.max(1, rows)) };
  }

  /** False where the terminal does not say its size (0x0: scripts, containers): nobody's session may shrink to a guess. */
  get sizeKnown(): boolean {
    return process.stdout.isTTY && process.stdout.columns > 0 && process.stdout.rows > 0;
  }

  onResize(handler: () => void): void {
    if (process.stdout.isTTY) process.stdout.on("resize", handler);
  }

  /**
   * Takes the terminal, once; later calls do nothing.
   * `again`: after the program was stopped and continued, when the screen has to be drawn anew.
   * `ended`: a signal wants this program to end with that code; the terminal is given back already.
   */
  take(on: { again(): void; ended(code: number): void }): void {
    if (this.#taken) return;
    this.#taken = true;
    this.#settings = isatty(0) ? stty(["-g"]) : null;
    this.#held = true;
    process.on("exit", this.#giveBack);
    for (const signal of endings) {
      this.#handle(signal, () => {
        this.release();
        on.ended(128 + constants.signals[signal]);
      });
    }
    this.#handle("SIGTSTP", () => {
      this.#restore();
      process.kill(process.pid, "SIGSTOP");
    });
    this.#handle("SIGCONT", () => {
      if (!this.#held) return;
      this.#raw();
      on.again();
    });
    this.#raw();
    const { size } = this;
    if (size !== null) writeAll(this.#modes.enter(size.rows));
  }

  /** Gives it back; later calls do nothing. */
  release(): void {
    if (!this.#held) return;
    this.#held = false;
    process.off("exit", this.#giveBack);
    for (const [signal, handler] of this.#handlers) process.off(signal, handler);
    this.#restore();
  }

  #handle(signal: NodeJS.Signals, handler: () => void): void {
    process.on(signal, handler);
    this.#handlers.push([signal, handler]);
  }

  /** Not Node's raw mode: that one leaves output processing on, and a line feed would also return the carriage. */
  #raw(): void {
    if (this.#settings !== null) stty(["raw", "-echo"]);
    else if (process.stdin.isTTY) process.stdin.setRawMode(true);
  }

  #restore(): void {
    if (process.stdout.isTTY) writeAll(this.#modes.leave());
    if (this.#settings !== null) stty([this.#settings]);
    else if (process.stdin.isTTY) process.stdin.setRawMode(false);
  }
}

/** Runs stty on standard input; null where there is none. */
function stty(args: string[]): string | null {
  try {
    return execFileSync("stty", args, { stdio: [0, "pipe", "ignore"], encoding: "utf8", timeout: sttyMs }).trim();
  } catch {
    return null;
  }
}

/** Writes at once: the program may be about to end. */
function writeAll(text: string): void {
  const bytes = Buffer.from(text);
  const end = performance.now() + patienceMs;
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(1, bytes, at);
    } catch (error) {
      const full = error instanceof Error && "code" in error && error.code === "EAGAIN";
      // Any other error: the terminal is gone, and nothing is left to be restored.
      if (!full || performance.now() > end) return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}
