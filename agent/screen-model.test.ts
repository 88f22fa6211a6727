import { describe, expect, test } from "vitest";
import { screenHash } from "../protocol/screen-hash.js";
import { stateOf } from "../test/support/emulator-state.js";
import { randomFrom, terminalWord } from "../test/support/terminal-grammar.js";
import { probe, terminalStates } from "../test/support/terminal-states.js";
import { Emulator } from "./emulator.js";
import { ScreenModel } from "./screen-model.js";

const size = { cols: 20, rows: 6 };
const scrollback = 40;
const encoder = new TextEncoder();

function bytesOf(text: string): Uint8Array {
  return encoder.encode(text);
}

function fresh(): Emulator {
  return new Emulator(size, scrollback);
}

/** An emulator that a client would have: the snapshot, then the output from its sequence on. */
function clientOf(model: ScreenModel, output: Uint8Array, to: number, lines = scrollback): Emulator {
  const snapshot = model.snapshot(lines);
  const client = new Emulator(snapshot.size, scrollback);
  client.write(snapshot.bytes);
  client.write(output.subarray(snapshot.at, to));
  return client;
}

describe("a snapshot at any byte, and what follows it, is the same as everything", () => {
  const streams: Record<string, string> = {
    "a prompt": "\x1b]0;user@host: ~\x07\x1b[01;32muser@host\x1b[00m:\x1b[01;34m~\x1b[00m$ ls\r\n\x1b[0m\x1b[01;34mdir\x1b[0m  file\r\n",
    characters: "“quotes” — dashes… 漢字 😀 e\u0301 \u{10000}",
    "a full screen program": `\x1b[?1049h\x1b[22;0;0t\x1b[1;6r\x1b[?12h\x1b[?12l\x1b[27m\x1b[23m\x1b[29m\x1b[m\x1b[H\x1b[2J\x1b[?25l\x1b[6;1H"notes" 3L\x1b[1;1H\x1b[38;5;130m  1 \x1b[mone\x1b[2;1H\x1b[?25h\x1b[?1006;1002h`,
    strings: "\x1b]8;id=1;https://example.org/\x1b\\link\x1b]8;;\x1b\\\x1bP1$r\x1b\\\x1b]4;1;rgb:11/22/33\x1b\\\x1b_apc\x1b\\.",
    "everything at once": Object.values(terminalStates).slice(4, 9).join("\x1bc"),
  };
  test.each(Object.entries(streams))("%s", (_name, text) => {
    const output = bytesOf(text + probe);
    const whole = fresh();
    whole.write(output);
    const model = new ScreenModel(size, scrollback);
    for (let end = 1; end <= output.length; end += 1) {
      model.feed(output.subarray(end - 1, end));
      const client = clientOf(model, output, output.length);
      expect(stateOf(client), `${end} bytes`).toEqual(stateOf(whole));
      client.dispose();
    }
  });

  test("random output, screen only", () => {
    for (let seed = 1; seed <= 8; seed += 1) {
      const random = randomFrom(seed);
      const output = bytesOf(Array.from({ length: 12 }, () => terminalWord(random, size.cols, size.rows)).join(""));
      const whole = fresh();
      whole.write(output);
      const expected = screenHash(whole.terminal);
      const model = new ScreenModel(size, scrollback);
      for (let end = 1; end <= output.length; end += 1) {
        model.feed(output.subarray(end - 1, end));
        const client = clientOf(model, output, output.length, 0);
        expect(screenHash(client.terminal), `seed ${seed}, ${end} bytes`).toBe(expected);
        client.dispose();
      }
      whole.dispose();
      model.dispose();
    }
  });
});

test("it stands at the last whole sequence; the rest waits", () => {
  const model = new ScreenModel(size, scrollback);
  model.feed(bytesOf("abc\x1b[3"));
  expect(model.at).toBe(3);
  model.feed(bytesOf("1mRED"));
  expect(model.at).toBe(11);
  expect(model.text(false).lines[0]).toBe("abcRED");
  model.feed(bytesOf("漢").subarray(0, 2));
  expect(model.at).toBe(11);
  model.feed(bytesOf("漢").subarray(2));
  expect(model.at).toBe(14);
  expect(model.text(false).lines[0]).toBe("abcRED漢");
});

test("a size that comes in the middle of a sequence makes no difference", () => {
  const model = new ScreenModel(size, scrollback);
  const plain = fresh();
  model.feed(bytesOf("some text that wraps around\x1b[3"));
  model.resize({ cols: 10, rows: 4 });
  model.feed(bytesOf("1mred"));
  plain.write("some text that wraps around\x1b[3");
  plain.resize({ cols: 10, rows: 4 });
  plain.write("1mred");
  expect(model.hash()).toBe(screenHash(plain.terminal));
  expect(model.snapshot(0).size).toEqual({ cols: 10, rows: 4 });
});

test("a sequence without end is let go at last, and what follows it is found again", () => {
  const model = new ScreenModel(size, scrollback);
  model.feed(bytesOf("before\x1b]0;"));
  const filler = bytesOf("x".repeat(64 * 1024));
  for (let n = 0; n < 20; n += 1) model.feed(filler);
  expect(model.at).toBeGreaterThan(1024 * 1024);
  expect(model.snapshot(0).damaged).toBe(true);
  model.feed(bytesOf("\x07after"));
  expect(model.at).toBe(10 + 20 * filler.length + 6);
  expect(model.text(false).lines[0]).toBe("beforeafter");
  expect(model.snapshot(0).damaged).toBe(false);
});

test("a screen made from a snapshot in pieces stands where the snapshot was taken", () => {
  const model = new ScreenModel(size, scrollback);
  const output = bytesOf((terminalStates["scrollback with colours"] ?? "") + (terminalStates["alternate screen with everything"] ?? ""));
  model.feed(output);
  const { bytes, at } = model.snapshot(scrollback);
  const again = new ScreenModel(size, scrollback, at);
  for (let from = 0; from < bytes.length; from += 100) again.fill(bytes.subarray(from, from + 100));
  expect(again.at).toBe(output.length);
  expect(again.hash()).toBe(model.hash());
  expect(again.snapshot(scrollback).bytes).toEqual(bytes);
});

test("what is skipped leaves an empty screen at the next ground position", () => {
  const model = new ScreenModel(size, scrollback);
  model.feed(bytesOf("kept?"));
  model.skip(bytesOf("poison\x1b[3"), size);
  expect(model.at).toBe(11);
  model.feed(bytesOf("1mx"));
  expect(model.text(false).lines[0]).toBe("x");
  expect(model.snapshot(0).damaged).toBe(true);
});

test("text: trimmed lines, cursor, modes, a clean title; styles when asked for", () => {
  const model = new ScreenModel(size, scrollback);
  model.feed(bytesOf(`\x1b]2;\u202ea\u200fb\x07one  \r\n\x1b[31mtwo\x1b[m\x1b[?1h\x1b=\x1b[?2004h\x1b[?1002h\x1b[?1004h\x1b[?25l`));
  const text = model.text(true);
  expect(text).toMatchObject({ cols: 20, rows: 6, cursor: { x: 3, y: 1, visible: false }, hash: model.hash(), seq: model.at });
  expect(text.lines).toEqual(["one", "two", "", "", "", ""]);
  expect(text.modes).toEqual({
    applicationCursorKeys: true,
    applicationKeypad: true,
    bracketedPaste: true,
    alternateScreen: false,
    mouseTracking: "drag",
    sendFocus: true,
  });
  expect(text.ansi?.split("\n")[1]).toBe("\x1b[31mtwo\x1b[m");
  expect(model.text(false)).not.toHaveProperty("ansi");
  expect(text.title).toBe("ab");
  model.feed(bytesOf(`\x1b]2;\u2066${"漢".repeat(400)}😀\x07`));
  expect(model.title).toBe("漢".repeat(256));
  model.feed(bytesOf(`\x1b]2;${"x".repeat(255)}😀\x07`));
  expect(model.title).toBe("x".repeat(255));
});

test("the cursor that waits to wrap is told in the last column", () => {
  const model = new ScreenModel(size, scrollback);
  model.feed(bytesOf("12345678901234567890"));
  expect(model.text(false).cursor).toEqual({ x: 19, y: 0, visible: true });
});

test("erasing in the bottom right corner of a full screen does not end the emulator", () => {
  const model = new ScreenModel(size, scrollback);
  model.feed(bytesOf("\x1b[?1049h\x1b[6;20H\x1b[1Jalive"));
  expect(model.text(false).lines.join("")).toContain("alive");
  expect(model.snapshot(0).damaged).toBe(false);
});

test("an answer is given where it stands", () => {
  const model = new ScreenModel(size, scrollback);
  model.feed(bytesOf("abc\x1b[3"));
  const reply = model.answer(bytesOf("\x1b[6n"), { colours: null, cellWidth: 0, cellHeight: 0, size });
  expect(new TextDecoder().decode(reply)).toBe("\x1b[1;4R");
});
