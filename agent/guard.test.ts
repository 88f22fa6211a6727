import { describe, expect, test } from "vitest";
import type { Size } from "../protocol/values.js";
import { type GuardItem, OutputGuard } from "./guard.js";

const size: Size = { cols: 80, rows: 24 };
const utf8 = (text: string) => Buffer.from(text, "utf8");
const raw = (text: string) => Buffer.from(text, "latin1");

interface Passed {
  output: string;
  queries: string[];
  cost: number;
  bells: number;
  guarded: number;
}

function read(items: readonly GuardItem[], guarded = 0): Passed {
  const output: Uint8Array[] = [];
  const queries: string[] = [];
  let cost = 0;
  let bells = 0;
  for (const item of items) {
    if (item.kind === "query") queries.push(Buffer.from(item.bytes).toString("latin1"));
    if (item.kind !== "bytes") continue;
    output.push(item.bytes);
    cost += item.cost;
    bells += item.bells;
  }
  return { output: Buffer.concat(output).toString("utf8"), queries, cost, bells, guarded };
}

/** All of it in one chunk, at 80 x 24. */
function pass(input: string | Uint8Array, at: Size = size): Passed {
  const guard = new OutputGuard(at);
  const items = guard.push(typeof input === "string" ? utf8(input) : input);
  items.push(...guard.end());
  return read(items, guard.guardedBytes);
}

describe("what goes out as it came", () => {
  const untouched = [
    "plain text, äöü, 漢字, 😀, e\u0301\r\n\tnext\x07\b\x7f\0\x05",
    "\x1b[m\x1b[0;1;38;5;200;48:2::1:2:3m\x1b[4:3m",
    "\x1b[H\x1b[2J\x1b[3;4H\x1b[24;80f\x1b[9999C\x1b[K\x1b[1K\x1b[?2K",
    "\x1b[24S\x1b[24T\x1b[24L\x1b[24M\x1b[1920@\x1b[1920P\x1b[1920X\x1b[1920b\x1b[1920I\x1b[1920Z",
    "\x1b[?1049h\x1b[?25l\x1b[?1004h\x1b[?2004h\x1b[?1006;1002h\x1b[?2026h\x1b[?2026l\x1b[?2031h\x1b[4h\x1b[4l",
    '\x1b[>1u\x1b[<u\x1b[=1;1u\x1b[u\x1b[s\x1b7\x1b8\x1b[>4;2m\x1b[>4n\x1b[!p\x1b[2 q\x1b[1"q\x1b[?6c',
    "\x1b[22;0;0t\x1b[23;0;0t\x1b[>2t\x1b[1;2;3;4$r\x1b[#P\x1b[#Q\x1b[#{\x1b[2*x\x1b[1;2'z",
    "\x1b(0\x1b)B\x1b#8\x1b%G\x1bc\x1bM\x1bD\x1bE\x1bH\x1b=\x1b>\x1b F\x1bn",
    "\x1b]0;What? A title\x07\x1b]2;漢\x1b\\\x1b]7;file://h/p\x1b\\\x1b]8;;http://x/?q=1;2\x1b\\link\x1b]8;;\x1b\\",
    "\x1b]4;1;red;2;#0f0\x07\x1b]10;#fff;#000\x07\x1b]104\x07\x1b]110\x07\x1b]52;c;aGVsbG8=\x07\x1b]133;A\x07\x1b]9;4;1;50\x07",
    "\x1b]99;i=1:d=0;Is this it?\x1b\\\x1b]777;notify;a;b?\x07\x1b]1337;CurrentDir=/tmp\x07\x1b]633;E;ls ?\x07\x1b]66;s=2;?\x07",
    "\x1bPq#0;2;0;0;0~~\x1b\\\x1b[?1h\x1bP=1s\x1b\\\x1b_some program\x1b\\\x1b^private\x1b\\\x1bXstring\x1b\\",
    "\u009b1mbold\u009bm\u009d0;t\u009c\u0090q~\u009c\u0084\u0085\u0088\u009cé",
    // What xterm gives up or skips.
    "\x1b[12\x18\x1b[\x1a\x1b\x18\x1b[6?n\x1b[??6n\x1b[ 6n\x1b[3\x1b[1m\x1b\x1b[A",
    "\x1b[3\n1m\x1b[\x7f5\x7f;\x071H\x1b]0;a\x01\x02b\x07\x1b\\a\x1b\\",
    "\x1b[12\x1b]0;t\x07\x1b\n]0;t\x07\x1b\x1bPq~\x1b\\",
  ];
  test.each(untouched.map((text) => [JSON.stringify(text), text]))("%s", (_name, text) => {
    expect(pass(text)).toMatchObject({ output: text, queries: [], guarded: 0 });
  });

  test("every byte but ESC and 0xC2, in whatever order", () => {
    const bytes = new Uint8Array(200_000);
    let state = 1;
    for (let at = 0; at < bytes.length; at += 1) {
      do {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        bytes[at] = state >>> 24;
      } while (bytes[at] === 0x1b || bytes[at] === 0xc2);
    }
    const guard = new OutputGuard(size);
    const output: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += 4096) {
      for (const item of guard.push(bytes.subarray(at, at + 4096))) if (item.kind === "bytes") output.push(item.bytes);
    }
    for (const item of guard.end()) if (item.kind === "bytes") output.push(item.bytes);
    expect(Buffer.compare(Buffer.concat(output), bytes)).toBe(0);
    expect(guard.guardedBytes).toBe(0);
  });

  test("without a copy, in items of whole characters", () => {
    const chunk = utf8("漢".repeat(30_000));
    const items = new OutputGuard(size).push(chunk);
    expect(items.length).toBe(2);
    let at = chunk.byteOffset;
    for (const item of items) {
      if (item.kind !== "bytes") throw new Error(item.kind);
      expect(item.bytes.buffer).toBe(chunk.buffer);
      expect(item.bytes.byteOffset).toBe(at);
      expect(item.bytes.length % 3).toBe(0);
      at += item.bytes.length;
    }
  });
});

describe("queries", () => {
  /** Input; the query that is left for the responder, if any answers; what stays of the rest. */
  const asked: [string, string | string[] | null, string?][] = [
    ["\x1b[c", "\x1b[c"],
    ["\x1b[0c", "\x1b[c"],
    ["\u009bc", "\x1b[c"],
    ["\x1b[1c", null],
    ["\x1b[>c", "\x1b[>c"],
    ["\x1b[>0c", "\x1b[>c"],
    ["\x1b[=c", null],
    ["\x1b[5n", "\x1b[5n"],
    ["\x1b[6n", "\x1b[6n"],
    ["\x1b[006;1n", "\x1b[6n"],
    ["\x1b[0n", null],
    ["\x1b[?6n", "\x1b[?6n"],
    ["\x1b[?996n", "\x1b[?996n"],
    ["\x1b[?15n", null],
    ["\x1b[4$p", "\x1b[4$p"],
    ["\x1b[?2026$p", "\x1b[?2026$p"],
    ["\x1b[?$p", "\x1b[?0$p"],
    ["\x1b[?99999$p", null],
    ["\x1b[>q", "\x1b[>q"],
    ["\x1b[>0q", "\x1b[>q"],
    ["\x1b[14t", "\x1b[14t"],
    ["\x1b[14;2t", null],
    ["\x1b[16t", "\x1b[16t"],
    ["\x1b[18t", "\x1b[18t"],
    ...["11t", "13t", "13;2t", "15t", "19t", "20t", "21t"].map((end): [string, null] => [`\x1b[${end}`, null]),
    ...[
      "?u",
      "?4m",
      "?m",
      "?1;1;0S",
      "x",
      "0x",
      "1x",
      "&u",
      "1$u",
      "1$w",
      "2$w",
      "1;1;1;1;9;9*y",
      '"v',
      "'|",
      "+x",
      "#R",
      "1;1;2;2#|",
      ">100 q",
    ].map((end): [string, null] => [`\x1b[${end}`, null]),
    ["\x1bZ", null],
    ["\u009a", null],
    ["\x1b]4;1;?\x07", "\x1b]4;1;?\x1b\\"],
    ["\x1b]4;01;?\x1b\\", "\x1b]4;1;?\x1b\\"],
    ["\x1b]4;256;?\x07", null],
    ["\x1b]4;x;?\x07", null],
    ["\x1b]4;1;?;2;?\x07", ["\x1b]4;1;?\x1b\\", "\x1b]4;2;?\x1b\\"]],
    ["\x1b]4;1;?;2;red;3;?\x07", ["\x1b]4;1;?\x1b\\", "\x1b]4;3;?\x1b\\"], "\x1b]4;2;red\x07"],
    ["\x1b]4;2;red;1;?\x1b\\", "\x1b]4;1;?\x1b\\", "\x1b]4;2;red\x1b\\"],
    ["\x1b]5;0;?\x07", null],
    ["\x1b]5;0;?;1;red\x07", null, "\x1b]5;1;red\x07"],
    ["\x1b]10;?\x07", "\x1b]10;?\x1b\\"],
    ["\x1b]11;?\u009c", "\x1b]11;?\x1b\\"],
    ["\u009d11;?\u009c", "\x1b]11;?\x1b\\"],
    ["\x1b]0011;?\x07", "\x1b]11;?\x1b\\"],
    ["\x1b]1\x011;\x02?\x07", "\x1b]11;?\x1b\\"],
    ["\x1b]12;?\x07", "\x1b]12;?\x1b\\"],
    ["\x1b]10;?;?;?;?\x07", ["\x1b]10;?\x1b\\", "\x1b]11;?\x1b\\", "\x1b]12;?\x1b\\"]],
    ["\x1b]10;#fff;?\x07", "\x1b]11;?\x1b\\", "\x1b]10;#fff\x07"],
    ["\x1b]10;?;#fff\x07", "\x1b]10;?\x1b\\", "\x1b]11;#fff\x07"],
    ["\x1b]10;#fff;?;red\x07", "\x1b]11;?\x1b\\", "\x1b]10;#fff;;red\x07"],
    ["\x1b]13;?\x07", null],
    ["\x1b]19;?\x07", null],
    ["\x1b]50;?\x07", null],
    ["\x1b]52;c;?\x07", null],
    ["\x1b]52;;?\x1b\\", null],
    ["\x1b]21;foreground=?\x1b\\", null],
    ["\x1b]22;?__current__\x1b\\", null],
    ["\x1b]702;?\x1b\\", null],
    ...[
      "60",
      "61",
      "99;i=1:p=?;\x1b",
      "5522;type=read",
      "5113;x",
      "1337;ReportCellSize",
      "1337;RequestUpload=format=tgz",
      "1337;Capabilities",
      "1337;File=:AAAA",
    ].map((body): [string, null] => [`\x1b]${body}\x07`.replace("\x1b\x07", "\x1b\\"), null]),
    ["\x1bP$qm\x1b\\", "\x1bP$qm\x1b\\"],
    ["\x1bP$q q\x1b\\", "\x1bP$q q\x1b\\"],
    ['\x1bP1$q"p\x1b\\', '\x1bP$q"p\x1b\\'],
    ["\x1bP$qsomething long\x1b\\", "\x1bP$qsomethin\x1b\\"],
    ["\u0090$qr\u009c", "\x1bP$qr\x1b\\"],
    ["\x1bP+q544e\x1b\\", null],
    ["\x1bP@kitty-cmd{}\x1b\\", null],
    ["\x1b_Gi=31,a=q;AAAA\x1b\\", null],
    ["\u009fGi=31;\u009c", null],
    // Not queries, but acts on a terminal that no pane performs.
    ["\x1b[8;50;100t", null],
    ["\x1b[2t", null],
    ["\x1b[36t", null],
    ["\x1b[3*z", null],
  ];
  test.each(asked.map(([input, query, rest = ""]) => ({ input, query, rest, name: JSON.stringify(input) })))(
    "$name",
    ({ input, query, rest }) => {
      const queries = query === null ? [] : typeof query === "string" ? [query] : query;
      expect(pass(`a${input}b`)).toMatchObject({ output: `a${rest}b`, queries });
    },
  );

  test("are seen through everything xterm ignores, executes or gives up", () => {
    const disguised: [Uint8Array, string][] = [
      [raw("\x1b\x7f[6n"), ""],
      [raw("\x1b[6\x7fn"), ""],
      [raw("\x1b[\n6\x07n"), "\n\x07"],
      [raw("\x1b[1;2\x1b[6n"), ""],
      [raw("\x1b\x1b[6n"), ""],
      [raw("\x1b(\x1b[6n"), ""],
      [raw("\x1b[12\xc2\x9b6n"), ""],
      [raw("\x1b[\xff6n"), ""],
      [raw("\x1b[6\xe2\x80n"), ""],
      [raw("\x1bPtmux;\x1b\x1b[6n"), "\x1bPtmux;\x1b\\"],
      [raw("\x1b]0;t\x1b[6n"), "\x1b]0;t\x1b\\"],
      [raw("\x1b]0;lost\xc2\x9b6n"), ""],
      [raw("\x1b_note\x1b[6n"), "\x1b_note\x1b\\"],
      [raw("\x1bP1;\x1b[6n"), ""],
      [raw("\x1b]0;t\x1b\xff[6n"), "\x1b]0;t\x1b\\"],
    ];
    for (const [input, stays] of disguised) {
      expect(pass(input), JSON.stringify(input.toString())).toMatchObject({ output: stays, queries: ["\x1b[6n"] });
    }
  });

  test("are none when xterm gives them up", () => {
    const given: [Uint8Array, string][] = [
      [raw("\x1b]11;?\x18"), ""],
      [raw("\x1bP$qm\x1a"), ""],
      [raw("\x1b]0;t\x18"), ""],
      [raw("\x1b[6\x18n"), "\x1b[6\x18n"],
      [utf8("\x1b[6én"), "n"],
      [utf8("\x1b_Gxé,i=1"), ",i=1"],
      [utf8("\x1b]11;?\u0084"), "\u0084"],
      [utf8("\x1b]11;?\u009a"), ""],
    ];
    for (const [input, output] of given) expect(pass(input), JSON.stringify(input.toString())).toMatchObject({ output, queries: [] });
  });

  test("stay where they stood", () => {
    const guard = new OutputGuard(size);
    const kinds = guard
      .push(utf8("one\x1b[6ntwo\x1b]10;#fff;?\x07three\x1b[c"))
      .map((item) => (item.kind === "size" ? "" : Buffer.from(item.bytes).toString()));
    expect(kinds).toEqual(["one", "\x1b[6n", "two", "\x1b]10;#fff\x07", "\x1b]11;?\x1b\\", "three", "\x1b[c"]);
  });

  test("ended by another sequence than ST leave that one alone", () => {
    expect(pass("\x1b]11;?\x1b[1mbold")).toMatchObject({ output: "\x1b[1mbold", queries: ["\x1b]11;?\x1b\\"] });
    expect(pass("\x1b]52;c;?\x1b\\x")).toMatchObject({ output: "x", queries: [], guarded: 10 });
  });
});

describe("what other terminals, or unlucky cuts, may read otherwise", () => {
  const rewritten: [string, Uint8Array, string][] = [
    ["bad UTF-8 in a sequence", raw("\x1b[1\xff;3m\x1b(\xe2\x80B\x1b[\n5\xf0;H"), "\x1b[1;3m\x1b(B\x1b[\n5;H"],
    [
      "bad UTF-8 in the header of a string",
      raw("\x1b\xff]0;t\x07\x1bP1\xff;2q~\x1b\\\x1b\xc3_x\x1b\\"),
      "\x1b]0;t\x07\x1bP1;2q~\x1b\\\x1b_x\x1b\\",
    ],
    ["bad UTF-8 in the number of an OSC", raw("a\x1b]1\xff1;?\x07b"), "ab"],
    ["bad UTF-8 in a string that is ignored", raw("\x1b_\xe2x\x80\xa6y\x1b\\z\x1bX\xc2x\x1b\\z"), "zz"],
    ["a character in a string that is ignored", utf8("\x1b_x©y\x1b^x漢y"), "yy"],
    [
      "a C1 control in a sequence",
      utf8("\x1b[3\n\u009b1m\x1b]0;lost\u0084\x1b[5\u009cn\x1b[\u009d0;t\u009c"),
      "\n\x1b[1m\u0084n\x1b]0;t\u009c",
    ],
    [
      "a string whose ESC goes",
      utf8("\x1b]0;t\x1b\u0084\x1b]0;t\x1b[\n\u009b1m\x1b]0;t\x1b[6\nn"),
      "\x1b]0;t\x1b\\\u0084\x1b]0;t\x1b\\\n\x1b[1m\x1b]0;t\x1b\\\n",
    ],
    ["a sequence that is too long", raw(`\x1b]0;t\x1b[${"\n".repeat(1100)}1m`), `\x1b]0;t\x1b\\${"\n".repeat(1100)}\x1b[1m`],
    ["a long header", raw(`\x1bP${"1;".repeat(600)}$qm\x1b\\\x1bP${"1;".repeat(600)}q~\x1b\\`), `\x1bP${"1;".repeat(31)}1q~\x1b\\`],
    ["a string behind a long sequence", raw(`\x1b[${"1;".repeat(600)}\x1b]0;t\x07`), "\x1b]0;t\x07"],
  ];
  test.each(rewritten)("%s", (_name, input, output) => {
    expect(pass(input).output).toBe(output);
  });

  test("is a query all the same", () => {
    expect(pass(raw("\x1bP\xff$qm\x1b\\")).queries).toEqual(["\x1bP$qm\x1b\\"]);
    expect(pass(raw("\x1b\xff]11;?\x07")).queries).toEqual(["\x1b]11;?\x1b\\"]);
  });
});

describe("bounds", () => {
  const bounded: [string, string][] = [
    ...["L", "M", "S", "T"].map((final): [string, string] => [`\x1b[10000000${final}`, `\x1b[24${final}`]),
    ...["@", "P", "X", "b", "I", "Z", "'}", "'~", " @", " A"].map((final): [string, string] => [
      `\x1b[2147483647${final}`,
      `\x1b[1920${final}`,
    ]),
    ...["A", "B", "C", "D", "E", "F", "G", "d", "e", "a", "`"].map((final): [string, string] => [
      `\x1b[99999${final}`,
      `\x1b[9999${final}`,
    ]),
    ["\x1b[99999;99999H", "\x1b[9999;9999H"],
    ["\x1b[5;99999f", "\x1b[5;9999f"],
    ["\u009b99999S", "\x1b[24S"],
    ["\x1b[99\n999S", "\x1b[\n24S"],
    ["\x1b[12\x1b[999S", "\x1b[24S"],
    ["\x1b]0;t\x1b[999S", "\x1b]0;t\x1b[24S"],
    ["\x1b]0;t\x1b[9\x079S", "\x1b]0;t\x1b[\x0724S"],
    [`\x1b[${"1;".repeat(2000)}1m`, `\x1b[${"1;".repeat(31)}1m`],
  ];
  test.each(bounded.map(([input, output]) => ({ input, output, name: JSON.stringify(input.slice(0, 40)) })))(
    "$name",
    ({ input, output }) => {
      expect(pass(input)).toMatchObject({ output, queries: [], guarded: utf8(input).length - output.length });
    },
  );

  test("follow the size", () => {
    const guard = new OutputGuard(size);
    const items = [...guard.push(raw("\x1b[50S\x1b[5")), ...guard.resize({ cols: 100, rows: 40 }), ...guard.push(raw("0S\x1b[30S"))];
    expect(items.map((item) => (item.kind === "bytes" ? Buffer.from(item.bytes).toString() : item.kind))).toEqual([
      "\x1b[24S",
      "size",
      "\x1b[40S",
      "\x1b[30S",
    ]);
  });

  test("hold for what repeats a character with its marks, and in insert mode", () => {
    const marks = "\u0301".repeat(32);
    expect(pass(`a${marks}\x1b[1920b`, { cols: 400, rows: 200 }).output).toBe(`a${marks}\x1b[1920b`);
    expect(pass(`a${marks}\x1b[9999b`, { cols: 400, rows: 200 }).output).toBe(`a${marks}\x1b[3030b`);
    expect(pass("\x1b[4hx\x1b[1920b").output).toBe("\x1b[4hx\x1b[1250b");
  });

  test("let 32 marks stand on one character", () => {
    const marks = "\u0301\u0302".repeat(16);
    expect(pass(`a${marks}\u0303\u0304bc`)).toMatchObject({ output: `a${marks}bc`, guarded: 4 });
    expect(pass(`a${marks}\x7f\u0303b`).output).toBe(`a${marks}\x7fb`);
    expect(pass(`a${marks}\x1b[6n\u0303b`).output).toBe(`a${marks}b`);
    expect(pass(`a${marks}\x1b_x\u009c\u0303b`).output).toBe(`a${marks}\x1b_x\u009cb`);
    expect(pass(`a${marks}\u009c\u0303b`).output).toBe(`a${marks}\u009cb`);
    expect(pass(`a${marks}b\x1b[6n${marks}`).output).toBe(`a${marks}b${marks}`);
    const guard = new OutputGuard(size);
    for (const part of [`a${marks}`, "b", marks, "\u0301"]) guard.push(utf8(part));
    expect(guard.guardedBytes).toBe(2);
    for (const between of ["a", "ж", "漢", "\n", "\x1b[m", "\x1b]0;t\x07", "\x1b\x18", "\u0088"]) {
      const text = `a${marks}${between}${marks}`;
      expect(pass(text)).toMatchObject({ output: text, guarded: 0 });
    }
    // At the right edge, without autowrap, xterm leaves a wide character out and its marks go onto the one before.
    expect(pass("\x1b[?7l漢\u0301x\u0301").output).toBe("\x1b[?7l漢x\u0301");
  });

  test("hold for strings, which go whole", () => {
    const title = (length: number) => `\x1b]0;${"x".repeat(length)}\x07`;
    expect(pass(title(65_533)).output).toBe(title(65_533));
    expect(pass(`a${title(65_534)}b`)).toMatchObject({ output: "ab", guarded: 65_539 });
    expect(pass(`a${title(65_534).replace("\x07", "\x1b\\")}b`).output).toBe("ab");
    const clipboard = (length: number) => `\x1b]52;c;${"x".repeat(length)}\x07`;
    expect(pass(clipboard(150_000)).output).toBe(clipboard(150_000));
    expect(pass(`a${clipboard(154_000)}b`).output).toBe("ab");
    // What ends the string counts; of ST in two bytes, the first.
    const ends: [string, number][] = [
      ["\x07", 1],
      ["\x1b\\", 1],
      ["\u009c", 2],
    ];
    for (const [end, counted] of ends) {
      const longest = "x".repeat(65_536 - 2 - counted);
      expect(pass(`\x1b]0;${longest}${end}`).guarded).toBe(0);
      expect(pass(`\x1b]0;${longest}x${end}`).output).toBe("");
    }
    for (const begin of ["\x1bPq", "\x1b_", "\x1b^", "\x1bX", "\x1bP1?", "\x1b]52;c;aaaa\x07\x1bP1?"]) {
      const stays = begin.slice(0, begin.lastIndexOf("\x1b"));
      expect(pass(`a${begin}${"~".repeat(66_000)}\x1b\\b`).output).toBe(`a${stays}b`);
      expect(pass(`a${begin}${"~".repeat(60_000)}\x1b\\b`).guarded).toBe(0);
    }
    const two = `\x1b]0;${"x".repeat(60_000)}\x07\x1bP1?${"~".repeat(10_000)}\x1b\\`;
    expect(pass(two).output).toBe(two);
    const palette = (pairs: number) => `\x1b]4${";1;red".repeat(pairs)}\x07`;
    expect(pass(palette(512)).guarded).toBe(0);
    expect(pass(palette(513)).output).toBe("");
  });

  test("hold for hyperlinks that are alive", () => {
    const link = "\x1b]8;;u\x07x";
    expect(pass(link.repeat(8192)).guarded).toBe(0);
    expect(pass(link.repeat(8193)).output).toBe(`${link.repeat(8192)}\x1b]8;;\x07x`);
    const jumping = "\x1b[H\n".repeat(22_100);
    expect(pass(`${link.repeat(8192)}${jumping}${link}`).output).toBe(`${link.repeat(8192)}${jumping}\x1b]8;;\x07x`);
    // Gone with a reset, with the alternate screen, and when they have scrolled away.
    for (const [before, after] of [
      ["", "\x1bc"],
      ["\x1b[?1049h", "\x1b[?1049l"],
      ["\x1b[?1049h", "\x1b[2J"],
      ["", `${"\n".repeat(24 + 22_000)}`],
    ]) {
      const text = `${before}${link.repeat(8192)}${after}${link}`;
      expect(pass(text)).toMatchObject({ output: text, guarded: 0 });
    }
  });
});

describe("costs", () => {
  const cells = 80 * 24;
  const costs: [string, number][] = [
    ["hello", 5],
    ["漢", 3],
    ["\n", 1 + 5],
    ["\x1b[m", 3],
    ["\x1b[3S", 4 + 3 * 80],
    ["\x1b[T", 3 + 80],
    ["\x1b[999L", 5 + cells],
    ["\x1b[2M", 4 + 160],
    ["\x1b[7b", 4 + 7],
    ["\x1b[@", 3 + 80],
    ["\x1b[K", 3 + 80],
    ["\x1b[J", 3 + cells],
    ["\x1b[2J", 4 + cells],
    ["\x1bc", 2 + cells],
    ["\x1b#8", 3 + cells],
    ["\x1b[ @", 4 + cells],
    ["\x1b[3'}", 5 + cells],
    ["\x1bM", 2 + 80],
    ["\x1bD", 2 + 5],
    ["\u0085", 2 + 5],
    ["\x1b[?1049h", 8 + cells],
    ["\x1b[\nm", 4 + 5],
    ["\x1b[4hab", 4 + 160],
    ["\x1b[2;5r\n", 6 + 1 + 80],
    ["\x1b[2;5r\x1b[r\n", 6 + 3 + 1 + 5],
    ["\x1b]8;;u\x07ab", 7 + 100 + 16],
    ["\x1b]8;;u\x07\x1b]8;;\x07ab", 7 + 100 + 6 + 2],
    ["\x1b[6n", 0],
  ];
  test.each(costs.map(([input, cost]) => ({ input, cost, name: JSON.stringify(input) })))("$name", ({ input, cost }) => {
    expect(pass(input).cost).toBe(cost);
  });

  test("cut items", () => {
    const text = (chunk: string, at: Size = size) =>
      new OutputGuard(at).push(utf8(chunk)).map((item) => (item.kind === "bytes" ? [item.bytes.length, item.cost] : []));
    expect(text("x".repeat(65_537))).toEqual([
      [65_536, 65_536],
      [1, 1],
    ]);
    expect(text("\n".repeat(20_000))).toEqual([
      [16_666, 99_996],
      [3334, 20_004],
    ]);
    expect(text("\x1b[24S".repeat(60))).toEqual([
      [255, 51 * 1925],
      [45, 9 * 1925],
    ]);
    // Larger than an item may be, but one sequence.
    expect(text("a\x1b[2Jb", { cols: 1000, rows: 1000 })).toEqual([
      [1, 1],
      [4, 1_000_004],
      [1, 1],
    ]);
  });

  test("do not depend on how a long string is cut", () => {
    const long = `\x1b]52;c;${"x".repeat(150_000)}\x07`;
    const items = new OutputGuard(size).push(utf8(long));
    expect(items.map((item) => (item.kind === "bytes" ? item.bytes.length : 0))).toEqual([65_536, 65_536, long.length - 131_072]);
    expect(read(items).cost).toBe(long.length);
  });

  test("count bells that ring", () => {
    expect(pass("\x07a\x07\x1b[\x071m\x1b]0;t\x07\x1bPq\x07\x1b\\\x1b[\x076n").bells).toBe(4);
  });
});

describe("what is held", () => {
  test("is what one more byte can change", () => {
    for (const [head, tail] of [
      ["a\x1b", "[m"],
      ["a\x1b[6", "m"],
      ["a\x1b]0;t", "\x07"],
      ["a\xc2", "\xa0"],
      ["a\xe2\x80", "\xa6"],
      ["a\xf0\x9f\x98", "\x80"],
    ] as const) {
      const guard = new OutputGuard(size);
      const first = guard.push(raw(head));
      expect(first).toEqual([{ kind: "bytes", bytes: raw("a"), cost: 1, bells: 0 }]);
      expect(guard.guardedBytes).toBe(0);
      const rest = guard.push(raw(tail));
      expect(rest.map((item) => (item.kind === "bytes" ? Buffer.from(item.bytes).toString("latin1") : item))).toEqual([
        head.slice(1) + tail,
      ]);
    }
  });

  test("is bounded", () => {
    const guard = new OutputGuard(size);
    for (const begin of ["\x1b]0;", "\x1bP", "\x1b[", "\x1b(", "\x1b_", "\x1b[\n", "\x1b]52;c;"]) {
      let held = 0;
      let given = 0;
      const before = guard.guardedBytes;
      const filling = begin === "\x1b[\n" ? "\n" : begin === "\x1b[" || begin === "\x1bP" ? "1" : "(";
      given += begin.length;
      let emitted = read(guard.push(raw(begin))).output.length;
      for (let n = 0; n < 40; n += 1) {
        emitted += read(guard.push(raw(filling.repeat(10_000)))).output.length;
        given += 10_000;
        held = Math.max(held, given - emitted - (guard.guardedBytes - before));
      }
      expect(held).toBeLessThanOrEqual(begin.includes("52") ? 150 * 1024 : 64 * 1024);
      guard.push(raw("\x18"));
    }
  });

  test("at the end: half a character goes out, half a sequence does not", () => {
    expect(pass(raw("abc\xe2\x80")).guarded).toBe(0);
    expect(pass("abc\x1b[6")).toMatchObject({ output: "abc", guarded: 3 });
    expect(pass("abc\x1b[\n6")).toMatchObject({ output: "abc\n", guarded: 3 });
    expect(pass("abc\x1b]52;c;?")).toMatchObject({ output: "abc", queries: [] });
    expect(pass("abc\x1b]0;t\x1b")).toMatchObject({ output: "abc\x1b]0;t\x1b\\" });
  });
});
