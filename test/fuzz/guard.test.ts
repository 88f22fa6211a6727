/**
 * The guard against streams of every kind. Each property is a promise of `agent/guard.ts`; xterm itself is the judge wherever it can be.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Emulator } from "../../agent/emulator.js";
import { type GuardItem, OutputGuard } from "../../agent/guard.js";
import type { Size } from "../../protocol/values.js";
import { stateOf } from "../support/emulator-state.js";
import { cellsTouched } from "./guard-steps.js";
import { anyStream, join, longStream, wholeParts } from "./guard-streams.js";

const seed = 20261122;
const size: Size = { cols: 12, rows: 5 };

interface Passed {
  bytes: Uint8Array;
  cost: number;
  bells: number;
  /** Position in the output and text of each query. */
  queries: string[];
  guarded: number;
}

function collect(items: readonly GuardItem[], guarded: number): Passed {
  const bytes: Uint8Array[] = [];
  const queries: string[] = [];
  let cost = 0;
  let bells = 0;
  let at = 0;
  for (const item of items) {
    if (item.kind === "query") queries.push(`${at} ${JSON.stringify(Buffer.from(item.bytes).toString("latin1"))}`);
    if (item.kind !== "bytes") continue;
    bytes.push(item.bytes);
    at += item.bytes.length;
    cost += item.cost;
    bells += item.bells;
  }
  return { bytes: join(bytes), cost, bells, queries, guarded };
}

function itemsOf(stream: Uint8Array, cuts: readonly number[]): { items: GuardItem[]; guarded: number } {
  const guard = new OutputGuard(size);
  const items: GuardItem[] = [];
  let from = 0;
  for (const cut of [...cuts, stream.length]) {
    // A copy: what the guard gave out may not depend on bytes that came later.
    items.push(...guard.push(stream.slice(from, cut)));
    from = cut;
  }
  items.push(...guard.end());
  return { items, guarded: guard.guardedBytes };
}

function pass(stream: Uint8Array, cuts: readonly number[] = []): Passed {
  const { items, guarded } = itemsOf(stream, cuts);
  return collect(items, guarded);
}

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");

describe("guard", () => {
  test("gives the same for every split", () => {
    const cuts = fc.array(fc.nat(1000), { maxLength: 12 });
    fc.assert(
      fc.property(anyStream, cuts, fc.boolean(), (stream, places, everywhere) => {
        const whole = pass(stream);
        const chosen = everywhere
          ? Array.from({ length: stream.length }, (_, n) => n)
          : places.map((place) => place % (stream.length + 1)).sort((a, b) => a - b);
        const split = pass(stream, chosen);
        expect({ ...split, bytes: text(split.bytes) }).toEqual({ ...whole, bytes: text(whole.bytes) });
      }),
      { seed, numRuns: 4000 },
    );
  });

  test("keeps its promises at its limits too", () => {
    fc.assert(
      fc.property(longStream, fc.array(fc.nat(), { maxLength: 8 }), (stream, places) => {
        const whole = pass(stream);
        const { items, guarded } = itemsOf(
          stream,
          places.map((place) => place % (stream.length + 1)).sort((a, b) => a - b),
        );
        const split = collect(items, guarded);
        expect(Buffer.compare(split.bytes, whole.bytes)).toBe(0);
        expect({ ...split, bytes: 0 }).toEqual({ ...whole, bytes: 0 });
        for (const item of items) {
          if (item.kind !== "bytes") continue;
          expect(item.cost).toBeLessThanOrEqual(100_000);
          expect(item.bytes.length).toBeLessThanOrEqual(65_536);
        }
        const twice = pass(whole.bytes);
        expect(twice.guarded).toBe(0);
        expect(twice.queries).toEqual([]);
      }),
      { seed, numRuns: 150 },
    );
  });

  test("has nothing to do with what it let out", () => {
    fc.assert(
      fc.property(anyStream, (stream) => {
        const once = pass(stream);
        const twice = pass(once.bytes);
        expect(text(twice.bytes)).toBe(text(once.bytes));
        expect(twice.queries).toEqual([]);
        expect(twice.guarded).toBe(0);
        expect(once.guarded).toBe(Math.max(0, stream.length - once.bytes.length));
      }),
      { seed, numRuns: 4000 },
    );
  });

  test("changes no screen, and takes out exactly what was marked", () => {
    fc.assert(
      fc.property(wholeParts, (parts) => {
        const { items } = itemsOf(join(parts.map((part) => part.bytes)), []);
        const plain = new Emulator(size, 50);
        const guarded = new Emulator(size, 50);
        plain.write(join(parts.filter((part) => !part.removed).map((part) => part.bytes)));
        for (const item of items) if (item.kind === "bytes") guarded.write(item.bytes);
        for (const emulator of [plain, guarded]) emulator.write("\x1b[m");
        expect(stateOf(guarded)).toEqual(stateOf(plain));
        plain.dispose();
        guarded.dispose();
      }),
      { seed, numRuns: 700 },
    );
  });

  test("lets through what xterm does not answer, and leaves it in ground state", () => {
    fc.assert(
      fc.property(anyStream, (stream) => {
        const { items } = itemsOf(stream, []);
        const listener = listen();
        for (const item of items) if (item.kind === "bytes") listener.emulator.write(item.bytes);
        expect(listener.heard).toEqual([]);
        expect(listener.emulator.core._inputHandler._parser.currentState).toBe(0);
        listener.emulator.dispose();
      }),
      { seed, numRuns: 900 },
    );
  });

  test("shows what xterm shows without it", () => {
    // What is taken out between a character and its marks or repetitions would join them: such streams are for the test above.
    const stream = anyStream.map((bytes) => bytes.filter((byte) => byte !== 0x62 && byte !== 0xcc && byte !== 0xcd));
    fc.assert(
      fc.property(stream, (bytes) => {
        const { items } = itemsOf(bytes, []);
        const plain = new Emulator(size, 50);
        const guarded = new Emulator(size, 50);
        for (const emulator of [plain, guarded]) skipUpwardErase(emulator);
        plain.write(bytes);
        // Whatever the stream ended in: CAN ends it.
        plain.write("\x18");
        for (const item of items) if (item.kind === "bytes") guarded.write(item.bytes);
        for (const emulator of [plain, guarded]) emulator.write("\x1b[m");
        expect(stateOf(guarded)).toEqual(stateOf(plain));
        plain.dispose();
        guarded.dispose();
      }),
      { seed, numRuns: 900 },
    );
  });

  test("charges at least what xterm does, within the limits of an item", () => {
    fc.assert(
      fc.property(anyStream, (stream) => {
        const emulator = new Emulator(size, 50);
        skipUpwardErase(emulator);
        for (const item of itemsOf(stream, []).items) {
          if (item.kind !== "bytes") continue;
          expect(item.cost).toBeLessThanOrEqual(100_000);
          expect(item.bytes.length).toBeLessThanOrEqual(65_536);
          expect(cellsTouched(emulator.terminal, () => emulator.write(item.bytes))).toBeLessThanOrEqual(2 * item.cost + 2 * size.cols);
        }
        emulator.dispose();
      }),
      { seed, numRuns: 700 },
    );
  });

  test("bounds every control sequence at every count", () => {
    const screen: Size = { cols: 80, rows: 24 };
    const guard = new OutputGuard(screen);
    const emulator = new Emulator(screen, 1000);
    skipUpwardErase(emulator);
    let sequences = 0;
    for (let final = 0x40; final <= 0x7e; final += 1) {
      for (const prefix of ["", "?", ">", "'", " "]) {
        for (const count of ["0", "1", "999", "65535", "2147483647"]) {
          const intermediate = prefix === "'" || prefix === " ";
          const sequence = `x\x1b[${intermediate ? count + prefix : prefix + count}${String.fromCharCode(final)}`;
          sequences += 1;
          for (const item of guard.push(Buffer.from(sequence.repeat(20)))) {
            if (item.kind !== "bytes") continue;
            expect(item.cost).toBeLessThanOrEqual(100_000);
            expect(cellsTouched(emulator.terminal, () => emulator.write(item.bytes))).toBeLessThanOrEqual(2 * item.cost + 2 * screen.cols);
          }
        }
      }
    }
    expect(sequences).toBe(63 * 5 * 5);
    expect(guard.end()).toEqual([]);
  });

  test("stands floods", () => {
    const megabyte = "x".repeat(1024 * 1024);
    const guard = new OutputGuard(size);
    const queries = (items: readonly GuardItem[]) => items.filter((item) => item.kind === "query").length;
    for (let number = 0; number < 60; number += 1) {
      const chunk = Buffer.from(`\x1b]${number};${megabyte}\x07`);
      for (let at = 0; at < chunk.length; at += 65_536) expect(guard.push(chunk.subarray(at, at + 65_536))).toEqual([]);
    }
    for (const begin of ["\x1bP", "\x1bP1;2q", "\x1bP$q", "\x1b_", "\x1b_G", "\x1b^", "\x1bX", "\x1b]x"]) {
      expect(guard.push(Buffer.from(`${begin}${megabyte}\x1b\\`))).toEqual([]);
    }
    const marks = collect(guard.push(Buffer.from(`a${"\u0301".repeat(1_000_000)}b`)), 0);
    expect(marks.bytes.length).toBe(1 + 64 + 1);
    expect(queries(guard.push(Buffer.from("\x1b[6n".repeat(200_000))))).toBe(200_000);
    expect(queries(guard.push(Buffer.from(`\x1b]4${";1;?".repeat(600)}\x07`.repeat(100))))).toBe(0);
  });
});

/** An emulator that would tell of everything it is asked. */
function listen(): { emulator: Emulator; heard: string[] } {
  const heard: string[] = [];
  const emulator = new Emulator(size, 50);
  const { terminal } = emulator;
  terminal.options.windowOptions = { getWinSizePixels: true, getCellSizePixels: true, getWinSizeChars: true };
  terminal.onData((data) => heard.push(`answers ${JSON.stringify(data)}`));
  emulator.core._inputHandler.onColor((events) => {
    for (const event of events) if (event.type === 0) heard.push(`asked for colour ${event.index}`);
  });
  const ids = [
    { prefix: ">", final: "q" },
    { prefix: "?", final: "u" },
    { prefix: "=", final: "c" },
    { prefix: "?", final: "n" },
    { final: "n" },
    { final: "x" },
  ];
  for (const id of ids) terminal.parser.registerCsiHandler(id, (parameters) => heard.push(`${id.final} ${parameters}`) > 0);
  terminal.parser.registerCsiHandler({ final: "t" }, (parameters) => heard.push(`t ${parameters}`) > 0);
  for (const intermediates of ["$", "+"]) {
    terminal.parser.registerDcsHandler({ intermediates, final: "q" }, (data) => heard.push(`DCS ${intermediates}q ${data}`) > 0);
  }
  terminal.parser.registerOscHandler(52, (data) => data.includes("?") && heard.push(`OSC 52 ${data}`) > 0);
  skipUpwardErase(emulator);
  return { emulator, heard };
}

/** `CSI 1 J` in the last cell of a screen without scrollback throws in xterm 6.0.0. */
function skipUpwardErase(emulator: Emulator): void {
  emulator.terminal.parser.registerCsiHandler({ final: "J" }, (parameters) => parameters[0] === 1);
  emulator.terminal.parser.registerCsiHandler({ prefix: "?", final: "J" }, (parameters) => parameters[0] === 1);
}
