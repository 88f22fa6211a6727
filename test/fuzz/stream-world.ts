/**
 * One agent, a session on it, and clients whose links a test breaks, all on one clock and driven by one seed. Owns the record of what was
 * printed and typed, and the checks of the guarantees: OUT (what a client applied is the output without gap or repeat, or an explicit
 * screen), IN (each typed byte is written at most once, in order, and what was not is reported), EXIT (once, after the last byte).
 */
import { Agent } from "../../agent/agent.js";
import type { Screen, ScreenOptions } from "../../agent/session-screen.js";
import { Connection } from "../../client/connection.js";
import type { SendOutcome } from "../../client/input-queue.js";
import type { Stream, StreamOptions } from "../../client/stream.js";
import { fail, ok } from "../../protocol/errors.js";
import { decodeFrame } from "../../protocol/frame.js";
import type { Size } from "../../protocol/values.js";
import { type MemoryPair, memoryPair } from "../../transport/memory.js";
import { EchoPty } from "../support/echo-pty.js";
import { DigestEmulator } from "../support/fake-session.js";
import { ManualClock } from "../support/manual-clock.js";
import { PlainGuard } from "../support/plain-screen.js";

/** Small, so that lag, wrapping and lost history happen within a few steps. */
const historyBytes = 256 * 1024;
const stateId = "0123456789abcdef01234567";
const startSize: Size = { cols: 80, rows: 24 };

/** 0 <= value < 1, the same for the same seed. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

export interface Faults {
  /** Chance that a frame of bytes vanishes, or that a frame comes twice. */
  drop: number;
  twice: number;
}

interface Typed {
  /** Numbers typed so far; each is 4 bytes and unique in the world. */
  ids: number[];
  sends: number;
  outcomes: { ids: number[]; outcome: SendOutcome }[];
  undelivered: number[];
}

export interface Viewer {
  readonly connection: Connection;
  stream: Stream;
  pair: MemoryPair | null;
  /** Nobody answers while this is false. */
  reachable: boolean;
  readonly typed: Typed;
  /** Reports of what was parsed, held back by a slow viewer. */
  unparsed: { stream: number; seq: number }[];
  emulator: DigestEmulator | null;
  /** The sequence up to which it applied the output; null before the first. */
  next: number | null;
  /** Any output reached it. */
  applied: boolean;
  screens: number;
  gaps: number;
  exits: number;
}

export class World {
  readonly clock = new ManualClock();
  readonly random: () => number;
  readonly viewers: Viewer[] = [];
  faults: Faults = { drop: 0, twice: 0 };
  agent: Agent;
  pty: EchoPty;
  sessionId = "";
  /** Everything the session printed, in blocks, with the sequence behind each. */
  #printed: { end: number; bytes: Uint8Array }[] = [];
  #end = 0;
  #sizes: { at: number; size: Size }[] = [{ at: 0, size: startSize }];
  #run = 0;
  #lastId = 0;
  #screens: SlowScreen[] = [];

  constructor(seed: number) {
    this.random = randomOf(seed);
    this.agent = this.#startAgent();
    this.pty = this.#startSession();
  }

  pick<T>(from: readonly T[]): T {
    const found = from[Math.floor(this.random() * from.length)];
    if (found === undefined) throw new Error("nothing to pick from");
    return found;
  }

  below(limit: number): number {
    return Math.floor(this.random() * limit);
  }

  get ended(): boolean {
    return this.pty.ended;
  }

  // ---- the session's side ------------------------------------------------------------------------------------------------------

  print(length: number): void {
    if (this.pty.ended) return;
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; at++) bytes[at] = 97 + ((this.#end + at) % 26);
    // Distinct enough that a repeat or a hole shows: the block's own place stands in front.
    bytes.set(new TextEncoder().encode(`<${this.#end}>`).subarray(0, length));
    this.pty.print(bytes);
  }

  /** The program reads what was typed; whole numbers only, so that each is written or not. */
  read(numbers: number): void {
    if (!this.pty.ended) this.pty.read(numbers * 4);
  }

  exit(): void {
    this.pty.exit({ code: 3 });
  }

  /** The agent dies with its sessions; another one takes its place. */
  restartAgent(): void {
    const old = this.agent;
    for (const viewer of this.viewers) viewer.pair?.cut("the agent died");
    old.sessions.close();
    this.agent = this.#startAgent();
    this.pty.ended = true;
  }

  /** How slow the session's emulator answers for a snapshot: held until let go. */
  holdScreens(on: boolean): void {
    for (const screen of this.#screens) screen.hold(on);
  }

  // ---- the viewers' side -------------------------------------------------------------------------------------------------------

  addViewer(options: Pick<StreamOptions, "from" | "scrollback" | "onLag" | "role"> & { view: Size | null }): Viewer {
    const connection = new Connection({
      clock: this.clock,
      random: this.random,
      client: { kind: "sdk", name: `viewer ${this.viewers.length}` },
      stateId,
      dial: () => {
        if (!viewer.reachable) return Promise.resolve(fail("unreachable", "Nobody answers.", { scope: "connection", retry: "later" }));
        const pair = memoryPair();
        viewer.pair = pair;
        pair.onFrame((to, frame) => this.#fate(to, frame));
        this.agent.accept(pair.right);
        return Promise.resolve(ok(pair.left));
      },
    });
    const { view, ...rest } = options;
    const viewer: Viewer = {
      connection,
      stream: connection.stream(
        {
          session: this.sessionId,
          holder: `holder-${this.viewers.length}`,
          view: view && { ...view, cellWidth: 8, cellHeight: 16, colours: null, focused: false },
          ...rest,
        },
        {
          screen: ({ at, size, chunks, skipped }) => {
            viewer.screens++;
            this.#check(viewer.next === null || skipped === Math.max(0, at - viewer.next), `a screen at ${at} that skips ${skipped}`);
            viewer.emulator ??= new DigestEmulator(size);
            viewer.emulator.load(Buffer.concat(chunks), size);
            viewer.next = at;
          },
          data: (seq, bytes) => {
            this.#check(viewer.next === null || viewer.next === seq, `data at ${seq} instead of ${viewer.next}`);
            this.#check(Buffer.compare(bytes, this.#output(seq, seq + bytes.length)) === 0, `other bytes at ${seq} than were printed`);
            viewer.emulator?.write(bytes);
            viewer.applied = true;
            viewer.next = seq + bytes.length;
            const { state } = viewer.stream;
            if ("stream" in state) viewer.unparsed.push({ stream: state.stream, seq: viewer.next });
          },
          resized: (at, size) => {
            this.#check(viewer.next === null || viewer.next === at, `a marker at ${at} instead of ${viewer.next}`);
            viewer.emulator?.resize(size);
          },
          gap: (from, to) => {
            viewer.gaps++;
            // A first attach says where it begins before it says what of the wanted is gone.
            this.#check(
              viewer.next === from || (viewer.next === to && !viewer.applied),
              `a gap from ${from} to ${to}, not from ${viewer.next}`,
            );
            viewer.emulator = null;
            viewer.next = to;
          },
          attached: ({ start, seq, size }) => {
            if (start !== "live" || viewer.next !== null) return;
            viewer.next = seq;
            if (seq === 0) viewer.emulator = new DigestEmulator(size);
          },
          state: (state) => {
            if (state.state !== "ended" || state.reason !== "exit") return;
            viewer.exits++;
            this.#check(viewer.next === null || viewer.next === this.#end, `an exit at ${viewer.next} of ${this.#end}`);
          },
          undelivered: ({ bytes }) => viewer.typed.undelivered.push(...numbersOf(bytes)),
        },
      ),
      pair: null,
      reachable: true,
      typed: { ids: [], sends: 0, outcomes: [], undelivered: [] },
      unparsed: [],
      emulator: null,
      next: null,
      applied: false,
      screens: 0,
      gaps: 0,
      exits: 0,
    };
    this.viewers.push(viewer);
    connection.open();
    viewer.stream.attach();
    return viewer;
  }

  type(viewer: Viewer, numbers: number): void {
    const ids = Array.from({ length: numbers }, () => ++this.#lastId);
    const bytes = new Uint8Array(numbers * 4);
    ids.forEach((id, index) => {
      new DataView(bytes.buffer).setUint32(index * 4, id);
    });
    viewer.typed.ids.push(...ids);
    viewer.typed.sends++;
    viewer.stream.send(bytes, (outcome) => viewer.typed.outcomes.push({ ids, outcome }));
  }

  /** A viewer parses this much of what it holds back. */
  parse(viewer: Viewer, count = Number.POSITIVE_INFINITY): void {
    for (const { stream, seq } of viewer.unparsed.splice(0, count)) viewer.stream.parsed(stream, seq);
  }

  /** Moves frames of one viewer, or all that can move. */
  deliver(viewer: Viewer, frames = Number.POSITIVE_INFINITY): void {
    for (let moved = 0; moved < frames && viewer.pair?.step(); moved++);
  }

  async settle(): Promise<void> {
    for (let turn = 0; turn < 12; turn++) await Promise.resolve();
  }

  // ---- at the end --------------------------------------------------------------------------------------------------------------

  /** No more faults: everything that can arrive arrives, every link is tried, every viewer reads, the program reads what was typed. */
  async heal(): Promise<void> {
    this.faults = { drop: 0, twice: 0 };
    this.holdScreens(false);
    // What was lost without a trace shows with the next frame or the next link: every viewer gets a new one.
    for (const viewer of this.viewers) {
      viewer.reachable = true;
      viewer.pair?.cut("healed");
      viewer.pair = null;
    }
    for (let round = 0; round < 400; round++) {
      for (const viewer of this.viewers) {
        this.deliver(viewer);
        this.parse(viewer);
      }
      this.read(1 << 20);
      await this.settle();
      this.clock.advance(250);
      await this.settle();
      if (round > 70 && this.viewers.every((viewer) => this.#restsOf(viewer))) return;
    }
    throw new Error(`does not come to rest at ${this.#end}: ${this.viewers.map(stateOf).join("; ")}`);
  }

  /** The guarantees, after `heal`. */
  checkAll(): void {
    const written = numbersOf(Buffer.concat(this.pty.written));
    for (const viewer of this.viewers) {
      const { state } = viewer.stream;
      if (state.state === "ended") this.#check(viewer.exits === (state.reason === "exit" ? 1 : 0), `${viewer.exits} exits`);
      else if (state.state === "failed") this.#check(this.#run > 1, stateOf(viewer));
      else this.#check(viewer.next === this.#end, `not at ${this.#end}: ${stateOf(viewer)}`);
      if (viewer.emulator && (state.state === "live" || (state.state === "ended" && state.reason === "exit"))) {
        this.#check(viewer.emulator.digest === this.#digest(), "another screen than the session's");
      }
      this.#checkInput(viewer.typed, written);
    }
  }

  #checkInput(typed: Typed, written: number[]): void {
    const own = new Set(typed.ids);
    const taken = written.filter((id) => own.has(id));
    this.#check(
      taken.every((id, index) => index === 0 || id > (taken[index - 1] ?? 0)),
      "input written twice or out of order",
    );
    const takenSet = new Set(taken);
    const back = new Set(typed.undelivered);
    this.#check(back.size === typed.undelivered.length, "input given back twice");
    this.#check(typed.outcomes.length === typed.sends, `${typed.sends - typed.outcomes.length} sends were never answered`);
    for (const { ids, outcome } of typed.outcomes) {
      const arrived = ids.filter((id) => takenSet.has(id)).length;
      if (outcome.ok) this.#check(arrived === ids.length, `a send of ${ids.length} was confirmed, ${arrived} were written`);
      else
        this.#check(outcome.delivered / 4 <= arrived, `${outcome.delivered / 4} of ${ids.length} were said to be written, ${arrived} were`);
    }
    for (const id of own) {
      this.#check(takenSet.has(id) || back.has(id), `input ${id} was neither written nor given back`);
      // Given back although it was written: only when nobody could know any more.
      this.#check(!takenSet.has(id) || !back.has(id) || this.pty.ended, `input ${id} was written and given back`);
    }
  }

  #restsOf(viewer: Viewer): boolean {
    const { state } = viewer.stream;
    if (state.state === "ended" || state.state === "failed" || state.state === "detached") return true;
    return state.state === "live" && viewer.next === this.#end && !this.ended && viewer.typed.outcomes.length === viewer.typed.sends;
  }

  #fate(to: "left" | "right", frame: Uint8Array): "pass" | "drop" | "twice" {
    const decoded = decodeFrame(frame);
    const bytes = "stream" in decoded;
    // Media neither lose nor repeat frames; this stands for faults in between that only numbers can show. Control has none.
    if (bytes && this.random() < this.faults.drop) return "drop";
    if ((bytes || to === "left") && this.random() < this.faults.twice) return "twice";
    return "pass";
  }

  #startAgent(): Agent {
    this.#run++;
    return new Agent({
      clock: this.clock,
      machine: "testbox",
      stateId,
      run: `run-${this.#run}`,
      root: false,
      owner: "me",
      maxRole: "admin",
      scrollback: () => 1000,
      historyBytes,
      env: { PATH: "/bin", HOME: "/", SHELL: "/bin/sh" },
      guard: () => new PlainGuard(),
      openScreen: ({ reader, size }) => {
        const screen = new SlowScreen(reader(0), size);
        this.#screens.push(screen);
        return screen;
      },
      spawn: (_options, events) => {
        const pty = new EchoPty({
          data: (bytes) => {
            this.#end += bytes.length;
            this.#printed.push({ end: this.#end, bytes: bytes.slice() });
            events.data(bytes);
          },
          exit: (status) => events.exit(status),
        });
        pty.echo = false;
        const resize = pty.resize.bind(pty);
        pty.resize = (size) => {
          this.#sizes.push({ at: this.#end, size });
          resize(size);
        };
        this.pty = pty;
        return ok(pty);
      },
      log: () => {},
      stopped: () => {},
    });
  }

  #startSession(): EchoPty {
    const created = this.agent.sessions.create({ t: "new", id: 1, name: null, command: ["cat"], cwd: "/", env: {}, size: startSize });
    if (!created.ok) throw new Error(created.error.message);
    this.sessionId = created.value.sessionId;
    this.pty.reads = false;
    return this.pty;
  }

  #output(from: number, to: number): Buffer {
    const parts: Uint8Array[] = [];
    for (const { end, bytes } of this.#printed) {
      const start = end - bytes.length;
      if (end <= from || start >= to) continue;
      parts.push(bytes.subarray(Math.max(0, from - start), Math.min(bytes.length, to - start)));
    }
    return Buffer.concat(parts);
  }

  /** Of an emulator that saw everything. */
  #digest(): string {
    const emulator = new DigestEmulator(startSize);
    let at = 0;
    for (const { at: next, size } of this.#sizes) {
      emulator.write(this.#output(at, next));
      emulator.resize(size);
      at = next;
    }
    emulator.write(this.#output(at, this.#end));
    return emulator.digest;
  }

  #check(holds: boolean, otherwise: string): void {
    if (!holds) throw new Error(otherwise);
  }
}

/** The session's emulator: exact, and as slow as the test wants it. */
class SlowScreen implements Screen {
  readonly backlog = 0;
  readonly #reader;
  readonly #emulator: DigestEmulator;
  #held = false;
  #waiting: (() => void)[] = [];

  constructor(reader: ReturnType<ScreenOptions["reader"]>, size: Size) {
    this.#reader = reader;
    this.#emulator = new DigestEmulator(size);
  }

  hold(on: boolean): void {
    this.#held = on;
    if (!on) for (const answer of this.#waiting.splice(0)) answer();
  }

  poke(): void {}
  onBacklog(): void {}
  onTitle(): void {}

  snapshot({ scrollback }: { scrollback: number }): ReturnType<Screen["snapshot"]> {
    return this.#later(() => {
      this.#read();
      return { at: this.#reader.seq, size: this.#emulator.size, bytes: this.#emulator.serialize(1000 + scrollback * 80), gap: false };
    });
  }

  answer(): Promise<Uint8Array> {
    return Promise.resolve(new Uint8Array());
  }

  text(): ReturnType<Screen["text"]> {
    return this.#later(() => {
      const { cols, rows } = this.#emulator.size;
      const modes = {
        applicationCursorKeys: false,
        applicationKeypad: false,
        bracketedPaste: false,
        alternateScreen: false,
        mouseTracking: "none" as const,
        sendFocus: false,
      };
      return { cols, rows, cursor: { x: 0, y: 0, visible: true }, seq: this.#reader.seq, lines: [], title: "", hash: "", modes };
    });
  }

  hash(): Promise<string | null> {
    return Promise.resolve(null);
  }

  close(): void {
    this.#reader.close();
  }

  #later<T>(make: () => T): Promise<T> {
    return new Promise((done) => {
      const answer = () => done(make());
      if (this.#held) this.#waiting.push(answer);
      else answer();
    });
  }

  #read(): void {
    for (let slice = this.#reader.next(1 << 30, 1 << 30); slice !== null; slice = this.#reader.next(1 << 30, 1 << 30)) {
      if (slice.kind === "size") this.#emulator.resize(slice.size);
      else this.#emulator.write(slice.bytes);
    }
  }
}

function stateOf({ connection, stream, next, typed }: Viewer): string {
  const link = "error" in connection.state ? `${connection.state.state} (${connection.state.error.message})` : connection.state.state;
  return `${link}, ${JSON.stringify({ ...stream.state, screen: undefined })}, applied ${next}, ${typed.sends - typed.outcomes.length} sends open`;
}

function numbersOf(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: Math.floor(bytes.length / 4) }, (_, index) => view.getUint32(index * 4));
}
