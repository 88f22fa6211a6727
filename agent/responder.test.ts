import { describe, expect, test } from "vitest";
import { below, randomFrom, terminalWord } from "../test/support/terminal-grammar.js";
import { terminalStates } from "../test/support/terminal-states.js";
import { Emulator } from "./emulator.js";
import { OutputGuard } from "./guard.js";
import { defaultColours, isAllowedReply, type ReplyView, replies } from "./responder.js";

const size = { cols: 20, rows: 6 };
const view: ReplyView = { colours: null, cellWidth: 0, cellHeight: 0, size };
const light: ReplyView = {
  colours: { ...defaultColours, foreground: "#161a21", background: "#fcfcfd", cursor: "#ff0000" },
  cellWidth: 7.8,
  cellHeight: 18.4,
  size,
};

function emulatorWith(bytes: string): Emulator {
  const emulator = new Emulator(size, 10);
  emulator.write(bytes);
  return emulator;
}

function reply(query: string, bytes = "", seen = view): string {
  return replies(query, emulatorWith(bytes), seen).join("");
}

describe("one row of the table each", () => {
  test.each([
    ["device attributes", "\x1b[c", "\x1b[?1;2c"],
    ["device attributes, 0", "\x1b[0c", "\x1b[?1;2c"],
    ["secondary device attributes", "\x1b[>c", "\x1b[>0;276;0c"],
    ["status", "\x1b[5n", "\x1b[0n"],
    ["version", "\x1b[>q", "\x1bP>|xterm.js(6.0.0)\x1b\\"],
    ["version, 0", "\x1b[>0q", "\x1bP>|xterm.js(6.0.0)\x1b\\"],
    ["text size", "\x1b[18t", "\x1b[8;6;20t"],
    ["cell size, not known", "\x1b[16t", "\x1b[6;18;9t"],
    ["pixel size, not known", "\x1b[14t", "\x1b[4;108;180t"],
    ["colour scheme", "\x1b[?996n", "\x1b[?997;1n"],
    ["foreground", "\x1b]10;?\x1b\\", "\x1b]10;rgb:e8e8/ecec/f2f2\x1b\\"],
    ["background, BEL", "\x1b]11;?\x07", "\x1b]11;rgb:1212/1515/1b1b\x1b\\"],
    [
      "three in a row",
      "\x1b]10;?;?;?\x1b\\",
      "\x1b]10;rgb:e8e8/ecec/f2f2\x1b\\\x1b]11;rgb:1212/1515/1b1b\x1b\\\x1b]12;rgb:e8e8/ecec/f2f2\x1b\\",
    ],
    ["palette", "\x1b]4;1;?\x1b\\", "\x1b]4;1;rgb:ffff/7b7b/7272\x1b\\"],
    ["palette, several", "\x1b]4;0;?;15;?\x1b\\", "\x1b]4;0;rgb:2a2a/3030/3b3b\x1b\\\x1b]4;15;rgb:f7f7/f9f9/fcfc\x1b\\"],
    [
      "the cube",
      "\x1b]4;16;?;231;?;196;?\x1b\\",
      "\x1b]4;16;rgb:0000/0000/0000\x1b\\\x1b]4;231;rgb:ffff/ffff/ffff\x1b\\\x1b]4;196;rgb:ffff/0000/0000\x1b\\",
    ],
    ["the greys", "\x1b]4;232;?;255;?\x1b\\", "\x1b]4;232;rgb:0808/0808/0808\x1b\\\x1b]4;255;rgb:eeee/eeee/eeee\x1b\\"],
    ["cursor, at the start", "\x1b[6n", "\x1b[1;1R"],
    ["SGR, none", "\x1bP$qm\x1b\\", "\x1bP1$r0m\x1b\\"],
    ["conformance", '\x1bP$q"p\x1b\\', '\x1bP1$r61;1"p\x1b\\'],
    ["a setting nobody has", "\x1bP$qz\x1b\\", "\x1bP0$r\x1b\\"],
  ])("%s", (_name, query, expected) => {
    expect(reply(query)).toBe(expected);
  });

  test("the driver's colours and cell are what is told", () => {
    expect(reply("\x1b]11;?\x07", "", light)).toBe("\x1b]11;rgb:fcfc/fcfc/fdfd\x1b\\");
    expect(reply("\x1b]12;?\x07", "", light)).toBe("\x1b]12;rgb:ffff/0000/0000\x1b\\");
    expect(reply("\x1b[?996n", "", light)).toBe("\x1b[?997;2n");
    expect(reply("\x1b[16t", "", light)).toBe("\x1b[6;18;8t");
    expect(reply("\x1b[14t", "", light)).toBe("\x1b[4;110;156t");
  });

  test("colours that the program set are what is told, until it takes them back", () => {
    const set = "\x1b]4;1;#102030\x07\x1b]11;#ffffff\x07";
    expect(reply("\x1b]4;1;?\x07", set)).toBe("\x1b]4;1;rgb:1010/2020/3030\x1b\\");
    expect(reply("\x1b]11;?\x07", set)).toBe("\x1b]11;rgb:ffff/ffff/ffff\x1b\\");
    expect(reply("\x1b[?996n", set)).toBe("\x1b[?997;2n");
    expect(reply("\x1b]4;1;?\x07", `${set}\x1b]104\x07`)).toBe("\x1b]4;1;rgb:ffff/7b7b/7272\x1b\\");
    expect(reply("\x1b]11;?\x07", `${set}\x1b]111\x07`)).toBe("\x1b]11;rgb:1212/1515/1b1b\x1b\\");
  });
});

describe("the cursor", () => {
  test.each([
    ["in the text", "ab\r\ncd", "\x1b[2;3R"],
    ["in the last column while it waits to wrap", "12345678901234567890", "\x1b[1;20R"],
    ["counted from the margin in origin mode", "\x1b[3;5r\x1b[?6h\x1b[2;4H", "\x1b[2;4R"],
    ["from the screen's top without it", "\x1b[3;5r\x1b[4;4H", "\x1b[4;4R"],
  ])("is %s", (_name, bytes, expected) => {
    expect(reply("\x1b[6n", bytes)).toBe(expected);
    expect(reply("\x1b[?6n", bytes)).toBe(expected.replace("[", "[?"));
  });
});

describe("settings", () => {
  test.each([
    ["r", "", "1;6r"],
    ["r", "\x1b[2;5r", "2;5r"],
    [" q", "", "2 q"],
    [" q", "\x1b[5 q", "5 q"],
    [" q", "\x1b[4 q", "4 q"],
    [" q", "\x1b[?12h", "1 q"],
    ['"q', "", '0"q'],
    ['"q', '\x1b[1"q', '1"q'],
    ["m", "\x1b[1;4:3;7;31m", "0;1;4:3;7;31m"],
    ["m", "\x1b[38;5;200;48;2;1;2;3m", "0;38:5:200;48:2::1:2:3m"],
    ["m", "\x1b[97;100;58:2::9:8:7m", "0;97;100;58:2::9:8:7m"],
  ])("DECRQSS %s after %j", (name, bytes, expected) => {
    expect(reply(`\x1bP$q${name}\x1b\\`, bytes)).toBe(`\x1bP1$r${expected}\x1b\\`);
  });

  test("attributes that do not fit are left out, not cut", () => {
    const long = reply("\x1bP$qm\x1b\\", "\x1b[1;2;3;4:3;5;7;8;9;53;38;2;255;255;255;48;2;255;255;255;58:2::255:255:255m");
    expect(long).toBe("\x1bP1$r0;1;2;3;4:3;5;7;8;9;53;38:2::255:255:255m\x1b\\");
    expect(long.length).toBeLessThanOrEqual(64);
  });
});

test("modes are told as xterm itself tells them, in every state", () => {
  const modes = [
    1, 2, 3, 4, 6, 7, 8, 9, 12, 20, 25, 45, 47, 66, 67, 1000, 1002, 1003, 1004, 1005, 1006, 1015, 1016, 1047, 1048, 1049, 2004, 2026, 2031,
  ];
  const queries = modes
    .flatMap((mode) => [`\x1b[${mode}$p`, `\x1b[?${mode}$p`])
    .concat(["\x1b[c", "\x1b[>c", "\x1b[5n", "\x1bP$qr\x1b\\", '\x1bP$q"q\x1b\\', "\x1bP$qx\x1b\\"]);
  for (const [name, bytes] of Object.entries(terminalStates)) {
    const emulator = emulatorWith(bytes);
    const said: string[] = [];
    emulator.terminal.onData((data) => said.push(data));
    for (const query of queries) {
      const ours = replies(query, emulator, view);
      emulator.write(query);
      expect(ours, `${JSON.stringify(query)} after ${name}`).toEqual(said.splice(0));
    }
  }
});

test("what xterm 6.0.0 leaves unanswered stays so", () => {
  const silent = [
    "\x05",
    "\x1bZ",
    "\x1b[=c",
    "\x1b[1c",
    "\x1b[>1c",
    "\x1b[?15n",
    "\x1b[?25n",
    "\x1b[?26n",
    "\x1b[?53n",
    "\x1b[4n",
    "\x1b[x",
    "\x1b[?u",
    "\x1b[?4m",
    "\x1b[11t",
    "\x1b[13t",
    "\x1b[19t",
    "\x1b[20t",
    "\x1b[21t",
    "\x1bP+q544e\x1b\\",
    "\x1b]5;0;?\x07",
    "\x1b]17;?\x07",
    "\x1b]50;?\x07",
    "\x1b]52;c;?\x07",
    "\x1b]99;?\x07",
    "\x1b]4;256;?\x07",
    "\x1b]4;-1;?\x07",
    "\x1b]4;?\x07",
    "\x1b]10;#fff\x07",
    "",
    "text",
  ];
  for (const query of silent) expect(reply(query), JSON.stringify(query)).toBe("");
});

test("answering changes nothing: a mark still joins the character before the query", () => {
  const emulator = emulatorWith("e");
  expect(replies("\x1b[6n", emulator, view)).toEqual(["\x1b[1;2R"]);
  emulator.write("\u0301");
  expect(emulator.terminal.buffer.active.getLine(0)?.translateToString(true)).toBe("e\u0301");
});

test("no reply is outside the list, whatever is asked in whatever state", () => {
  const seeds = 3000 * Number(process.env.MUXDECK_FUZZ ?? 1);
  const forms = ["\x1b[", "\x1b[?", "\x1b[>", "\x1b]4;", "\x1b]10;", "\x1bP$q", "\x1b]", "\x1bP"];
  const alphabet = "0123456789;?:cnpqtmrx$\"' \r\nA\u00e9";
  let answered = 0;
  let emulator = emulatorWith("");
  for (let seed = 1; seed <= seeds; seed += 1) {
    const random = randomFrom(seed);
    if (seed % 50 === 0) emulator = emulatorWith(Array.from({ length: 30 }, () => terminalWord(random, 20, 6)).join(""));
    let query = forms[below(random, forms.length)] ?? "";
    for (let n = below(random, 12); n > 0; n -= 1) query += alphabet[below(random, alphabet.length)];
    query += ["", "\x1b\\", "\x07", "c", "n", "$p", "t"][below(random, 7)];
    for (const one of replies(query, emulator, view)) {
      answered += 1;
      expect(isAllowedReply(one)).toBe(true);
      expect(one.length).toBeLessThanOrEqual(64);
      expect(one).not.toMatch(/[\r\n]/);
    }
  }
  expect(answered).toBeGreaterThan(seeds / 100);
});

test("what a reply may be is a closed list", () => {
  for (const bad of ["", "ls\r", "\x1b[0n\r", "\x1b]11;rgb:ffff/ffff/ffff;x\x1b\\", "\x1b[1;1Rrm", `\x1bP1$r${"1;".repeat(40)}m\x1b\\`]) {
    expect(isAllowedReply(bad)).toBe(false);
  }
});

test("queries as the guard hands them over, at every cut of the output", () => {
  const asked = [
    "\x1b[c",
    "\x1b[>c",
    "\x1b[5n",
    "\x1b[6n",
    "\x1b[?6n",
    "\x1b[?2026$p",
    "\x1b[4$p",
    "\x1bP$qm\x1b\\",
    "\x1b[14t",
    "\x1b[16t",
    "\x1b[18t",
    "\x1b]4;7;?\x1b\\",
    "\x1b]10;?\x07",
    "\x1b]11;?\x1b\\",
    "\x1b]12;?\x07",
    "\x1b[>q",
    "\x1b[?996n",
  ];
  for (const query of asked) {
    const bytes = new TextEncoder().encode(`ab${query}cd`);
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      const guard = new OutputGuard(size);
      const items = [...guard.push(bytes.subarray(0, cut)), ...guard.push(bytes.subarray(cut)), ...guard.end()];
      const emulator = new Emulator(size, 10);
      const got: string[] = [];
      for (const item of items) {
        if (item.kind === "bytes") emulator.write(item.bytes);
        else if (item.kind === "query") got.push(...replies(Buffer.from(item.bytes).toString("latin1"), emulator, view));
      }
      const expected = replies(query, emulatorWith("ab"), view);
      expect(expected, JSON.stringify(query)).toHaveLength(1);
      expect(got, `${JSON.stringify(query)} cut at ${cut}`).toEqual(expected);
    }
  }
});
