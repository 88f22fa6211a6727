import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { screenHash } from "../protocol/screen-hash.js";
import type { Size } from "../protocol/values.js";
import { Emulator } from "./emulator.js";
import { History } from "./history.js";
import { ScreenHost } from "./screen-host.js";
import type { ScreenTask } from "./screen-messages.js";
import type { TaskTaker, ThreadTask } from "./screen-thread.js";
import { maxBacklog, SessionScreen } from "./session-screen.js";

const size: Size = { cols: 20, rows: 6 };
const view = { colours: null, cellWidth: 0, cellHeight: 0, size };
const MiB = 1024 * 1024;

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** A thread that does a task only when told. */
class SteppedThread implements TaskTaker {
  readonly given: ThreadTask[] = [];
  readonly log: ScreenTask[] = [];
  readonly #host = new ScreenHost();

  give(task: ThreadTask): void {
    this.given.push(task);
  }

  forget(screen: number): void {
    this.#host.forget(screen);
  }

  step(): boolean {
    const task = this.given.shift();
    if (task === undefined) return false;
    this.log.push(task.task);
    task.done(this.#host.do(task.screen, task.task));
    return true;
  }

  run(): void {
    while (this.step());
  }
}

class Bench {
  readonly history = new History(size);
  readonly screen: SessionScreen;
  thread = new SteppedThread();
  /** What an emulator shows that got everything. */
  readonly whole = new Emulator(size, 100);
  closed = 0;

  constructor() {
    this.screen = new SessionScreen(
      1,
      {
        reader: (from, reached) => this.history.reader(from, { pin: true, ...(reached ? { reached } : {}) }),
        end: () => this.history.end,
        size,
        scrollback: 100,
      },
      () => {
        this.closed += 1;
      },
    );
    this.screen.moveTo(this.thread);
    this.thread.run();
    this.thread.log.length = 0;
  }

  print(text: string | Uint8Array, cost = text.length): void {
    const bytes = typeof text === "string" ? bytesOf(text) : text;
    this.history.append(bytes, cost);
    this.whole.write(bytes);
    this.screen.poke();
  }

  resize(to: Size): void {
    this.history.mark(to);
    this.whole.resize(to);
    this.screen.poke();
  }

  /** Time enough for output to have rested, and the work that follows. */
  rest(): void {
    vi.advanceTimersByTime(1100);
    this.thread.run();
  }

  async textNow(): Promise<string[]> {
    const text = this.screen.text({ ansi: false });
    this.thread.run();
    return (await text).lines;
  }

  /** The thread is lost while it is over what stands in front. */
  lose(): ScreenTask | null {
    const guilty = this.thread.given[0]?.task ?? null;
    this.thread = new SteppedThread();
    this.screen.lost(guilty);
    this.screen.moveTo(this.thread);
    return guilty;
  }

  kinds(): string[] {
    return this.thread.log.map((task) => task.task);
  }
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("when it reads", () => {
  test("not while output comes, but when it rests", () => {
    const bench = new Bench();
    for (let n = 0; n < 10; n += 1) {
      bench.print(`${n}`);
      vi.advanceTimersByTime(20);
    }
    expect(bench.thread.given).toHaveLength(0);
    expect(bench.screen.backlog).toBe(10);
    vi.advanceTimersByTime(50);
    expect(bench.thread.given).toHaveLength(1);
    bench.thread.run();
    expect(bench.screen.backlog).toBe(0);
  });

  test("at last also when it never rests", () => {
    const bench = new Bench();
    for (let n = 0; n < 60; n += 1) {
      bench.print("x");
      vi.advanceTimersByTime(20);
    }
    expect(bench.thread.given.length).toBeGreaterThan(0);
  });

  test("at once when much is unread, and no more than two slices at a time, none over 64 KiB", () => {
    const bench = new Bench();
    const chunk = new Uint8Array(256 * 1024).fill(0x61);
    for (let n = 0; n < 32; n += 1) bench.history.append(chunk, 1000);
    bench.screen.poke();
    expect(bench.thread.given).toHaveLength(2);
    for (let n = 0; n < 10; n += 1) {
      bench.thread.step();
      expect(bench.thread.given).toHaveLength(2);
    }
    const slices = bench.thread.log.filter((task) => task.task === "bytes");
    expect(Math.max(...slices.map((task) => (task.task === "bytes" ? task.bytes.length : 0)))).toBe(64 * 1024);
  });

  test("dear output in slices of at most 100 000 cells", () => {
    const bench = new Bench();
    for (let n = 0; n < 20; n += 1) bench.history.append(bytesOf("\x1b[6S".repeat(100)), 30_000);
    bench.screen.poke();
    bench.rest();
    const slices = bench.thread.log.filter((task) => task.task === "bytes");
    expect(slices.length).toBeGreaterThanOrEqual(6);
  });
});

describe("order", () => {
  test("a size comes exactly behind the byte before it", async () => {
    const bench = new Bench();
    bench.print("a line that wraps around the end");
    bench.resize({ cols: 10, rows: 4 });
    bench.print("\x1b[Hmore");
    bench.resize({ cols: 30, rows: 6 });
    const snapshot = bench.screen.snapshot({ scrollback: 100 });
    bench.thread.run();
    expect(bench.kinds()).toEqual(["bytes", "size", "bytes", "size", "snapshot"]);
    expect(await snapshot).toMatchObject({ at: bench.history.end, size: { cols: 30, rows: 6 }, gap: false });
    expect(await hashNow(bench)).toBe(screenHash(bench.whole.terminal));
  });

  test("a query is answered at its sequence, whatever came after it", async () => {
    const bench = new Bench();
    bench.print("abc");
    const first = bench.screen.answer(bytesOf("\x1b[6n"), bench.history.end, view);
    bench.print("\r\n\r\n12345");
    const second = bench.screen.answer(bytesOf("\x1b[6n"), bench.history.end, view);
    bench.print("more");
    bench.thread.run();
    expect(new TextDecoder().decode(await first)).toBe("\x1b[1;4R");
    expect(new TextDecoder().decode(await second)).toBe("\x1b[3;6R");
    expect(await bench.screen.hash(3)).toBe(null);
  });

  test("hashes: at a sequence that is to come, of one that is past, and before the end", async () => {
    const bench = new Bench();
    bench.print("abc");
    const atThree = screenHash(bench.whole.terminal);
    bench.print("def");
    // Asked for in the wrong order.
    const later = bench.screen.hash(6);
    const earlier = bench.screen.hash(3);
    bench.thread.run();
    expect(await later).toBe(screenHash(bench.whole.terminal));
    expect([atThree, null]).toContain(await earlier);
    expect(await bench.screen.hash(5)).toBe(null);
    expect(await bench.screen.hash(7)).toBe(null);
    const now = bench.screen.hash(6);
    bench.thread.run();
    expect(await now).toBe(screenHash(bench.whole.terminal));
  });

  test("the title is told when it changes", () => {
    const bench = new Bench();
    const titles: string[] = [];
    bench.screen.onTitle((title) => titles.push(title));
    bench.print("\x1b]0;one\x07");
    bench.rest();
    bench.print("x");
    bench.rest();
    bench.print("\x1b]2;two\x07");
    bench.rest();
    expect(titles).toEqual(["one", "two"]);
  });
});

describe("backlog", () => {
  test("it tells once when it has fallen below half", () => {
    const bench = new Bench();
    let told = 0;
    bench.screen.onBacklog(() => {
      told += 1;
      expect(bench.screen.backlog).toBeLessThan(maxBacklog / 2);
    });
    const chunk = new Uint8Array(MiB).fill(0x61);
    for (let n = 0; n < 17; n += 1) bench.history.append(chunk, 1000);
    bench.screen.poke();
    expect(bench.screen.backlog).toBeGreaterThan(maxBacklog / 2);
    for (let n = 0; n < 40; n += 1) bench.thread.step();
    expect(bench.screen.backlog).toBeLessThan(maxBacklog / 2);
    expect(told).toBe(1);
  });

  test("no snapshot stands further behind the end than it says", async () => {
    const bench = new Bench();
    bench.print("abc\x1b[3");
    bench.rest();
    expect(bench.screen.backlog).toBe(3);
    const snapshot = bench.screen.snapshot({ scrollback: 0 });
    bench.thread.run();
    expect((await snapshot).at).toBe(bench.history.end - 3);
  });

  test("what follows a snapshot is still there when it is given out", async () => {
    const bench = new Bench();
    bench.print("start");
    const pending = bench.screen.snapshot({ scrollback: 100 });
    const chunk = new Uint8Array(MiB).fill(0x61);
    for (let n = 0; n < 9; n += 1) bench.history.append(chunk, 1000);
    bench.thread.run();
    const { at } = await pending;
    const reader = bench.history.reader(at, { pin: true });
    expect(reader.lost).toBe(false);
    expect(reader.next(10, 1000)).toMatchObject({ kind: "bytes", seq: at });
  });
});

describe("a lost thread", () => {
  test("everything is done again from the history, and what was asked is answered", async () => {
    const bench = new Bench();
    bench.print("one\r\n\x1b[31mtwo");
    bench.rest();
    bench.resize({ cols: 15, rows: 5 });
    bench.print("three");
    const text = bench.screen.text({ ansi: false });
    bench.thread.step();
    bench.lose();
    bench.thread.run();
    expect((await text).lines.slice(0, 2)).toEqual(["one", "twothree"]);
    expect(await hashNow(bench)).toBe(screenHash(bench.whole.terminal));
    const snapshot = bench.screen.snapshot({ scrollback: 0 });
    bench.thread.run();
    expect((await snapshot).gap).toBe(false);
  });

  test("from a checkpoint on where there is one", async () => {
    const bench = new Bench();
    const line = "all work and no play makes a dull terminal\r\n".repeat(1490);
    for (let n = 0; n < 70; n += 1) bench.print(line, line.length);
    bench.rest();
    expect(bench.kinds().filter((kind) => kind === "snapshot").length).toBeGreaterThanOrEqual(1);
    bench.print("the end");
    bench.rest();
    bench.lose();
    const before = bench.history.base;
    bench.thread.run();
    const read = bench.thread.log.reduce((sum, task) => sum + (task.task === "bytes" ? task.bytes.length : 0), 0);
    expect(bench.kinds().slice(0, 2)).toEqual(["begin", "fill"]);
    expect(read).toBeLessThan(bench.history.end - before);
    expect(await hashNow(bench)).toBe(screenHash(bench.whole.terminal));
  });

  test("bytes that kill twice are left out: an empty screen from there on, and that is said", async () => {
    const bench = new Bench();
    bench.print("before");
    bench.rest();
    bench.print("poison");
    const poison = bench.history.end;
    bench.print("\r\nafter");
    const text = bench.screen.text({ ansi: false });
    expect(bench.lose()?.task).toBe("bytes");
    // It works its way to the same place.
    while (bench.thread.given[0]?.task.task !== "bytes" || bench.history.end - bench.screen.backlog < 6) bench.thread.step();
    expect(bench.lose()?.task).toBe("bytes");
    bench.thread.run();
    expect(bench.kinds()).toContain("skip");
    expect((await text).lines.join("")).not.toContain("before");
    const snapshot = bench.screen.snapshot({ scrollback: 100 });
    bench.thread.run();
    expect((await snapshot).gap).toBe(true);
    expect(poison).toBeLessThan(bench.history.end);
    bench.print("\r\nagain");
    expect((await bench.textNow()).join("")).toContain("again");
    // The place is behind it: another loss does not lead through it.
    bench.lose();
    bench.thread.run();
    expect(bench.kinds()).not.toContain("skip");
    expect((await bench.textNow()).join("")).toContain("again");
  });

  test("bytes that killed once are read again, in small slices", async () => {
    const bench = new Bench();
    bench.print(new Uint8Array(40_000).fill(0x61));
    bench.screen.text({ ansi: false }).catch(() => undefined);
    bench.lose();
    bench.thread.run();
    const slices = bench.thread.log.filter((task) => task.task === "bytes");
    expect(slices.length).toBeGreaterThanOrEqual(9);
    expect(await hashNow(bench)).toBe(screenHash(bench.whole.terminal));
  });

  test("a question that kills twice gets an empty answer, and the screen goes on", async () => {
    const bench = new Bench();
    bench.print("text");
    bench.rest();
    const snapshot = bench.screen.snapshot({ scrollback: 0 });
    expect(bench.lose()?.task).toBe("snapshot");
    while (bench.thread.given[0]?.task.task !== "snapshot") bench.thread.step();
    bench.lose();
    expect(await snapshot).toMatchObject({ gap: true });
    bench.thread.run();
    expect(await bench.textNow()).toEqual(["text", "", "", "", "", ""]);
  });

  test("a checkpoint that kills twice is done without", async () => {
    const bench = new Bench();
    bench.print("old\r\n");
    const first = bench.screen.snapshot({ scrollback: 100 });
    bench.thread.run();
    await first;
    bench.print("new");
    bench.lose();
    for (let n = 0; n < 2; n += 1) {
      while (bench.thread.given[0]?.task.task !== "fill") bench.thread.step();
      bench.lose();
    }
    bench.thread.run();
    expect(bench.kinds()).not.toContain("fill");
    expect((await bench.textNow()).join("")).toBe("new");
    const snapshot = bench.screen.snapshot({ scrollback: 0 });
    bench.thread.run();
    expect((await snapshot).gap).toBe(true);
  });

  test("another screen's fault costs nothing", async () => {
    const bench = new Bench();
    bench.print("text");
    bench.rest();
    for (let n = 0; n < 3; n += 1) {
      bench.thread = new SteppedThread();
      bench.screen.lost(null);
      bench.screen.moveTo(bench.thread);
      bench.thread.run();
    }
    expect(await bench.textNow()).toEqual(["text", "", "", "", "", ""]);
    const snapshot = bench.screen.snapshot({ scrollback: 0 });
    bench.thread.run();
    expect((await snapshot).gap).toBe(false);
  });
});

test("closing answers what was asked, and lets the history go", async () => {
  const bench = new Bench();
  bench.print("text");
  const asked = [
    bench.screen.text({ ansi: false }),
    bench.screen.snapshot({ scrollback: 0 }),
    bench.screen.hash(4),
    bench.screen.answer(bytesOf("\x1b[6n"), 4, view),
  ] as const;
  bench.screen.close();
  bench.screen.close();
  expect(bench.closed).toBe(1);
  const [text, snapshot, hash, answer] = await Promise.all(asked);
  expect(text.lines).toHaveLength(6);
  expect(snapshot.gap).toBe(true);
  expect(hash).toBe(null);
  expect(answer).toHaveLength(0);
  expect((await bench.screen.text({ ansi: false })).hash).toBe("");
  vi.advanceTimersByTime(10);
  const chunk = new Uint8Array(MiB);
  for (let n = 0; n < 20; n += 1) bench.history.append(chunk, 0);
  expect(bench.history.heldBytes).toBeLessThan(6 * MiB);
});

async function hashNow(bench: Bench): Promise<string> {
  const text = bench.screen.text({ ansi: false });
  bench.thread.run();
  return (await text).hash;
}
