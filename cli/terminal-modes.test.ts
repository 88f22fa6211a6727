import headless from "@xterm/headless";
import { expect, test } from "vitest";
import { TerminalModes } from "./terminal-modes.js";

/** What a terminal shows and has switched on after these pieces. */
async function after(...pieces: string[]) {
  const terminal = new headless.Terminal({ cols: 40, rows: 6, allowProposedApi: true, logLevel: "off" });
  let title = "";
  terminal.onTitleChange((text) => {
    title = text;
  });
  for (const piece of pieces) await new Promise<void>((resolve) => terminal.write(Buffer.from(piece, "latin1"), resolve));
  const { modes } = terminal;
  const buffer = terminal.buffer.active;
  const state = { type: buffer.type, cursor: [buffer.cursorX, buffer.cursorY], modes: { ...modes }, title };
  terminal.dispose();
  return state;
}

const loud =
  "\x1b[?1049h\x1b[?1h\x1b=\x1b[?1000h\x1b[?1002h\x1b[?1003h\x1b[?1006h\x1b[?1004h\x1b[?2004h\x1b[?25l\x1b[?7l\x1b[4h\x1b[?6h\x1b[2;4r\x1b[1;31m\x1b(0\x1b[5 q";

test("everything a program switched is undone when the terminal is given back", async () => {
  const modes = new TerminalModes();
  modes.saw(Buffer.from(loud));
  const fresh = await after("");
  const given = await after("before", loud, modes.leave());
  expect(given.modes).toEqual(fresh.modes);
  expect(given.type).toBe("normal");
  expect(given.cursor).toEqual([0, 5]);
});

test("sequences are seen when they are cut anywhere, in both forms", async () => {
  for (const sequence of ["\x1b[?1049h", "\x1b[?25;1049h", "\xc2\x9b?1049h"]) {
    for (let cut = 0; cut <= sequence.length; cut += 1) {
      const modes = new TerminalModes();
      modes.saw(Buffer.from(sequence.slice(0, cut), "latin1"));
      modes.saw(Buffer.from(sequence.slice(cut), "latin1"));
      expect(modes.leave(), `${JSON.stringify(sequence)} cut at ${cut}`).toContain("\x1b[?1049l");
    }
  }
});

test("the other screen is left only when it is shown: leaving it moves the cursor", () => {
  const modes = new TerminalModes();
  modes.saw(Buffer.from("\x1b[?1049h\x1b[?1049l"));
  expect(modes.leave()).not.toContain("\x1b[?1049l");
  modes.saw(Buffer.from("\x1b[?1049h\x1bc"));
  expect(modes.leave()).not.toContain("\x1b[?1049l");
});

test("keyboard protocols and colours are undone only when they were used; asking for a colour is no use", () => {
  const quiet = new TerminalModes();
  quiet.saw(Buffer.from("\x1b]11;?\x07"));
  expect(quiet.leave()).not.toMatch(/u\x1b|\x1b\]1/);
  const modes = new TerminalModes();
  modes.saw(Buffer.from("\x1b[>1u\x1b[>4;2m\x1b]11;#000000\x07\x1b]4;1;#ff0000\x07"));
  const leave = modes.leave();
  expect(leave).toContain("\x1b[<99u");
  expect(leave).toContain("\x1b[>4m");
  expect(leave).toContain("\x1b]111\x1b\\");
  expect(leave).toContain("\x1b]104\x1b\\");
});

test("a screen is drawn on a clean terminal, with tab stops, whatever was there", async () => {
  const modes = new TerminalModes();
  modes.saw(Buffer.from(loud));
  const drawn = await after(loud, "garbage", modes.clean(), "a\tb");
  expect(drawn.cursor).toEqual([9, 0]);
  expect(drawn.modes).toEqual((await after("")).modes);
});

test("focus reports are known while they are on", () => {
  const modes = new TerminalModes();
  modes.saw(Buffer.from("\x1b[?1004h"));
  expect(modes.focusReports).toBe(true);
  modes.saw(Buffer.from("\x1b[?1004l"));
  expect(modes.focusReports).toBe(false);
});
