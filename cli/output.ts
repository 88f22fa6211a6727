/**
 * Standard output of the program. Owns writing with back-pressure and never blocking this thread: the heartbeat of a link must go on while
 * a pager or a stopped terminal does not read. A reader that went away ends the program quietly.
 */
import type { Writable } from "node:stream";
import { isatty, ReadStream } from "node:tty";

export interface Output {
  /** Resolves when the system has taken the bytes. Write in order without waiting, or wait to be paced. */
  write(data: string | Uint8Array): Promise<void>;
  /** Resolves when everything written so far was taken. */
  flushed(): Promise<void>;
}

let opened: Output | null = null;

export function output(): Output {
  opened ??= open();
  return opened;
}

/** One JSON document, on one line. */
export function writeJson(value: unknown): Promise<void> {
  return output().write(`${JSON.stringify(value)}\n`);
}

function open(): Output {
  const stream = writable();
  let last = Promise.resolve();
  stream.on("error", (error: Error) => quit(error));
  return {
    write: (data) => {
      last = new Promise<void>((done) => stream.write(data, () => done()));
      return last;
    },
    flushed: () => last,
  };
}

/**
 * Node writes to terminals with blocking calls through `process.stdout`. A stream for reading a terminal is one for writing too, and does
 * not block: libuv opens the terminal anew for it.
 */
function writable(): Writable {
  return isatty(1) ? new ReadStream(1) : process.stdout;
}

/** The reader closed its end (`muxdeck tail x | head`): nobody is left to be told anything. */
function quit(error: Error): void {
  const gone = "code" in error && (error.code === "EPIPE" || error.code === "EIO" || error.code === "ECONNRESET");
  process.exit(gone ? 0 : 1);
}
