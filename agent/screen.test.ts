import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { screenHash } from "../protocol/screen-hash.js";
import type { Size } from "../protocol/values.js";
import { stateOf } from "../test/support/emulator-state.js";
import { below, randomFrom, terminalWord } from "../test/support/terminal-grammar.js";
import { terminalStates } from "../test/support/terminal-states.js";
import { Emulator } from "./emulator.js";
import { History } from "./history.js";
import { type Screen, Screens } from "./screen.js";

const top = resolve(fileURLToPath(import.meta.url), "../..");
const size: Size = { cols: 20, rows: 6 };
const scrollback = 40;
const view = { colours: null, cellWidth: 0, cellHeight: 0, size };
let folder = "";
let workerPath = "";

beforeAll(async () => {
  mkdirSync(join(top, ".cache"), { recursive: true });
  folder = mkdtempSync(join(top, ".cache/screen-test-"));
  workerPath = join(folder, "screen-worker.cjs");
  await build({
    root: top,
    configFile: false,
    logLevel: "error",
    ssr: { noExternal: true },
    build: {
      ssr: join(top, "agent/screen-worker.ts"),
      outDir: folder,
      target: "node16",
      minify: false,
      emptyOutDir: false,
      rolldownOptions: { output: { format: "cjs", entryFileNames: "screen-worker.cjs", codeSplitting: false } },
    },
  });
}, 60_000);

afterAll(() => {
  if (folder !== "") rmSync(folder, { recursive: true, force: true });
});

const opened: Screens[] = [];
afterEach(async () => {
  for (const screens of opened.splice(0)) await screens.close();
});

function screensAt(path: string, sliceLimitMs?: number): Screens {
  const screens = new Screens({ workerPath: path, ...(sliceLimitMs === undefined ? {} : { sliceLimitMs }) });
  opened.push(screens);
  return screens;
}

/** A session's output, in a history and in an emulator of the test's own. */
class Session {
  readonly history = new History(size);
  readonly whole = new Emulator(size, scrollback);
  readonly screen: Screen;

  constructor(screens: Screens) {
    this.screen = screens.open({
      reader: (from) => this.history.reader(from, { pin: true }),
      end: () => this.history.end,
      size,
      scrollback,
    });
  }

  print(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.history.append(bytes, bytes.length);
    this.whole.write(bytes);
    this.screen.poke();
  }

  resize(to: Size): void {
    this.history.mark(to);
    this.whole.resize(to);
    this.screen.poke();
  }

  async hash(): Promise<string> {
    return (await this.screen.text({ ansi: false })).hash;
  }
}

test("there must be a worker", () => {
  expect(() => new Screens({ workerPath: join(folder, "none.cjs") })).toThrow("none.cjs");
});

test("many sessions with random output and sizes show what an emulator of one's own shows", async () => {
  const screens = screensAt(workerPath);
  const sessions = Array.from({ length: 10 }, () => new Session(screens));
  for (const [n, session] of sessions.entries()) {
    const random = randomFrom(n + 1);
    for (let words = 0; words < 120; words += 1) {
      if (below(random, 15) === 0) session.resize({ cols: 4 + below(random, 30), rows: 2 + below(random, 8) });
      else session.print(terminalWord(random, size.cols, size.rows));
    }
  }
  for (const session of sessions) {
    expect(await session.hash()).toBe(screenHash(session.whole.terminal));
    expect(await session.screen.hash(session.history.end)).toBe(screenHash(session.whole.terminal));
  }
});

test("a snapshot and the output behind it make the same screen", async () => {
  const session = new Session(screensAt(workerPath));
  for (const state of ["scrollback with colours", "alternate screen with everything"]) session.print(terminalStates[state] ?? "");
  const snapshot = session.screen.snapshot({ scrollback });
  session.print("\x1b[3;3Hafter the snapshot was asked for");
  const { at, bytes, gap, size: its } = await snapshot;
  const client = new Emulator(its, scrollback);
  client.write(bytes);
  for (const reader = session.history.reader(at); ; ) {
    const slice = reader.next(1000, 1000);
    if (slice === null) break;
    if (slice.kind === "bytes") client.write(slice.bytes);
  }
  expect(stateOf(client)).toEqual(stateOf(session.whole));
  expect(gap).toBe(false);
});

test("a query in the middle of much output is answered where it stood", async () => {
  const session = new Session(screensAt(workerPath));
  const answers: Promise<Uint8Array>[] = [];
  for (let n = 0; n < 20; n += 1) {
    session.print(`${"line of output\r\n".repeat(500)}\x1b[3;${n + 1}H`);
    answers.push(session.screen.answer(new TextEncoder().encode("\x1b[6n"), session.history.end, view));
  }
  session.print("\x1b[1;1H");
  const replies = (await Promise.all(answers)).map((reply) => new TextDecoder().decode(reply));
  expect(replies).toEqual(Array.from({ length: 20 }, (_, n) => `\x1b[3;${n + 1}R`));
});

test("output that is left alone is parsed by itself, and its title told", async () => {
  const session = new Session(screensAt(workerPath));
  const title = new Promise<string>((done) => session.screen.onTitle(done));
  session.print("\x1b]2;told\x07");
  expect(await title).toBe("told");
  expect(session.screen.backlog).toBe(0);
});

test("eleven bytes that hang the emulator cost the screen they are in what was on it, and the others nothing", async () => {
  const screens = screensAt(workerPath, 1000);
  const [victim, neighbour] = [new Session(screens), new Session(screens)];
  neighbour.print("quiet\r\n\x1b[32mneighbour");
  victim.screen.poke();
  victim.print("before");
  await victim.hash();
  // A guard never lets this through.
  victim.history.append(new TextEncoder().encode("\x1b[100000000L"), 1);
  victim.history.append(new TextEncoder().encode("\r\nafter"), 7);
  const text = await victim.screen.text({ ansi: false });
  expect(text.lines.join("")).not.toContain("before");
  expect((await victim.screen.snapshot({ scrollback })).gap).toBe(true);
  victim.history.append(new TextEncoder().encode("\x1bcagain"), 7);
  expect((await victim.screen.text({ ansi: false })).lines[0]).toBe("again");
  expect(await neighbour.hash()).toBe(screenHash(neighbour.whole.terminal));
  expect((await neighbour.screen.snapshot({ scrollback })).gap).toBe(false);
}, 60_000);

test("a thread that hangs once over harmless output is replaced, and nothing is lost", async () => {
  // Spins for ever on its first sight of the word, and never again.
  const mark = join(folder, "hung-once");
  const path = join(folder, "hanging-worker.cjs");
  writeFileSync(
    path,
    `const { parentPort } = require("node:worker_threads");
const fs = require("node:fs");
const on = parentPort.on.bind(parentPort);
parentPort.on = (name, listener) => on(name, (message) => {
  const bytes = message.task.task === "bytes" ? Buffer.from(message.task.bytes).toString() : "";
  if (bytes.includes("hang") && !fs.existsSync(${JSON.stringify(mark)})) {
    fs.writeFileSync(${JSON.stringify(mark)}, "");
    for (;;);
  }
  listener(message);
});
require(${JSON.stringify(workerPath)});
`,
  );
  const session = new Session(screensAt(path, 1000));
  session.print(terminalStates["scrollback with colours"] ?? "");
  await session.screen.snapshot({ scrollback });
  session.print("\r\nhang here once\r\nand go on");
  const snapshot = await session.screen.snapshot({ scrollback });
  expect(snapshot.gap).toBe(false);
  const client = new Emulator(size, scrollback);
  client.write(snapshot.bytes);
  expect(stateOf(client)).toEqual(stateOf(session.whole));
}, 60_000);

test("a worker that crashes, or does not start at first, is replaced", async () => {
  const mark = join(folder, "starts");
  const path = join(folder, "crashing-worker.cjs");
  writeFileSync(
    path,
    `const { parentPort } = require("node:worker_threads");
const fs = require("node:fs");
fs.appendFileSync(${JSON.stringify(mark)}, "x");
const starts = fs.readFileSync(${JSON.stringify(mark)}).length;
if (starts <= 2) throw new Error("not yet");
if (starts === 3) parentPort.on("message", (message) => { if (message.task.task === "text") process.exit(1); });
require(${JSON.stringify(workerPath)});
`,
  );
  const session = new Session(screensAt(path));
  session.print("still here");
  expect(await session.hash()).toBe(screenHash(session.whole.terminal));
}, 60_000);

test("closed screens answer, and the threads end", async () => {
  const screens = screensAt(workerPath);
  const session = new Session(screens);
  session.print("text");
  const pending = session.screen.text({ ansi: false });
  await screens.close();
  expect((await pending).lines).toHaveLength(6);
  expect(await session.screen.hash(0)).toBe(null);
});
