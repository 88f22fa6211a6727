/**
 * A guard and a screen without an emulator, for tests of what stands around them: the guard takes out `CSI 6 n` and `CSI c` as queries and
 * passes the rest, the screen is the text of the output so far. Both answer at once (in a later turn).
 */
import type { GuardItem } from "../../agent/guard.js";
import type { Reader } from "../../agent/history.js";
import type { SessionGuard } from "../../agent/session.js";
import type { Screen, Snapshot } from "../../agent/session-screen.js";
import type { ScreenText, Size } from "../../protocol/values.js";

const queries = ["\u001b[6n", "\u001b[c"];

export class PlainGuard implements SessionGuard {
  guardedBytes = 0;

  push(chunk: Uint8Array): GuardItem[] {
    const items: GuardItem[] = [];
    let text = Buffer.from(chunk).toString("latin1");
    while (text.length > 0) {
      const found = queries.map((query) => text.indexOf(query)).filter((at) => at >= 0);
      const at = found.length > 0 ? Math.min(...found) : text.length;
      if (at > 0) {
        const bytes = Buffer.from(text.slice(0, at), "latin1");
        items.push({ kind: "bytes", bytes, cost: at, bells: text.slice(0, at).split("\u0007").length - 1 });
      }
      const query = queries.find((one) => text.startsWith(one, at));
      if (query !== undefined) {
        items.push({ kind: "query", bytes: Buffer.from(query, "latin1") });
        this.guardedBytes += query.length;
      }
      text = text.slice(at + (query?.length ?? 0));
    }
    return items;
  }

  resize(size: Size): GuardItem[] {
    return [{ kind: "size", size }];
  }

  end(): GuardItem[] {
    return [];
  }
}

export class PlainScreen implements Screen {
  backlog = 0;
  modes: ScreenText["modes"] = {
    applicationCursorKeys: false,
    applicationKeypad: false,
    bracketedPaste: false,
    alternateScreen: false,
    mouseTracking: "none",
    sendFocus: false,
  };
  /** Answers given, to look at. */
  readonly asked: { query: string; seq: number; cellWidth: number }[] = [];
  closed = false;
  /** While held, nothing is answered. */
  held = false;
  #reader: Reader;
  #text = "";
  #size: Size;
  #waiting: (() => void)[] = [];
  #title: (title: string) => void = () => {};
  #onBacklog: () => void = () => {};

  constructor(options: { reader: (from: number) => Reader; size: Size }) {
    this.#reader = options.reader(0);
    this.#size = options.size;
  }

  poke(): void {}

  /** The title a program set. */
  setTitle(title: string): void {
    this.#title(title);
  }

  setBacklog(bytes: number): void {
    const fell = bytes < this.backlog;
    this.backlog = bytes;
    if (fell) this.#onBacklog();
  }

  letGo(): void {
    this.held = false;
    for (const answer of this.#waiting.splice(0)) answer();
  }

  onBacklog(handler: () => void): void {
    this.#onBacklog = handler;
  }

  onTitle(handler: (title: string) => void): void {
    this.#title = handler;
  }

  snapshot(): Promise<Snapshot> {
    return this.#later(() => {
      this.#read();
      return { at: this.#reader.seq, size: this.#size, bytes: new TextEncoder().encode(`\u001bc${this.#text}`), gap: false };
    });
  }

  answer(query: Uint8Array, seq: number, view: { cellWidth: number }): Promise<Uint8Array> {
    const text = Buffer.from(query).toString("latin1");
    this.asked.push({ query: text, seq, cellWidth: view.cellWidth });
    return this.#later(() => new TextEncoder().encode(text === "\u001b[c" ? "\u001b[?1;2c" : `\u001b[1;${seq + 1}R`));
  }

  text(): Promise<ScreenText> {
    return this.#later(() => {
      this.#read();
      const { cols, rows } = this.#size;
      const cursor = { x: 0, y: 0, visible: true };
      return { cols, rows, cursor, seq: this.#reader.seq, lines: this.#text.split("\n"), title: "", hash: "", modes: this.modes };
    });
  }

  hash(at: number): Promise<string | null> {
    return this.#later(() => {
      this.#read();
      return this.#reader.seq === at ? `hash of ${at}` : null;
    });
  }

  close(): void {
    this.closed = true;
    this.#reader.close();
  }

  #later<T>(make: () => T): Promise<T> {
    return new Promise((done) => {
      const answer = () => done(make());
      if (this.held) this.#waiting.push(answer);
      else answer();
    });
  }

  #read(): void {
    for (let slice = this.#reader.next(1 << 30, 1 << 30); slice !== null; slice = this.#reader.next(1 << 30, 1 << 30)) {
      if (slice.kind === "size") this.#size = slice.size;
      else this.#text += Buffer.from(slice.bytes).toString("latin1");
    }
  }
}
