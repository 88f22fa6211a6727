/**
 * Output as programs, broken programs and attackers print it, for the guard's fuzz tests: a stream is a list of parts, each marked with what
 * the guard is to do with it. Owns the grammar; decides nothing about results.
 */
import fc from "fast-check";

export interface Part {
  bytes: Uint8Array;
  /** A query, or something else that may not go out: a screen that never got it looks the same. */
  removed: boolean;
}

const bytes = (text: string) => Uint8Array.from(Buffer.from(text, "utf8"));
const latin = (text: string) => Uint8Array.from(Buffer.from(text, "latin1"));
const stays = (arbitrary: fc.Arbitrary<string>) => arbitrary.map((text): Part => ({ bytes: bytes(text), removed: false }));
const goes = (arbitrary: fc.Arbitrary<string>) => arbitrary.map((text): Part => ({ bytes: bytes(text), removed: true }));

const csi = fc.constantFrom("\x1b[", "\x1b[", "\x1b[", "\u009b");
const osc = fc.constantFrom("\x1b]", "\x1b]", "\u009d");
const dcs = fc.constantFrom("\x1bP", "\x1bP", "\u0090");
const stringEnd = fc.constantFrom("\x1b\\", "\x1b\\", "\u009c");
const oscEnd = fc.constantFrom("\x07", "\x07", "\x1b\\", "\u009c");
const word = fc.constantFrom("hello", "x", " ", "wide 漢字 end", "é", "ключ", "😀!", "a longer run of text that wraps around ", "─│┌┐");

const text = stays(word);
const controls = stays(fc.constantFrom("\n", "\r\n", "\r", "\b", "\t", "\x07", "\x0b", "\x0c", "\x0e", "\x0f", "\0", "\x7f", "\x05"));

const number = fc.oneof({ weight: 6, arbitrary: fc.nat(12) }, { weight: 2, arbitrary: fc.constantFrom(80, 999, 65_535, 20_000) });
const parameters = fc.array(fc.oneof(number.map(String), fc.constantFrom("", "007", "0")), { maxLength: 4 }).map((list) => list.join(";"));
/** A control character that a sequence is interrupted by, and executes. */
const interruption = fc.oneof(
  { weight: 8, arbitrary: fc.constant("") },
  { weight: 1, arbitrary: fc.constantFrom("\n", "\x07", "\x7f", "\r", "\0") },
);

/** `CSI 1 J` in the last cell of a screen without scrollback throws in xterm 6.0.0; emulators work around it, a raw one cannot. */
const editing = stays(
  fc
    .tuple(csi, parameters, interruption, fc.constantFrom(..."@ABCDEFGHIKLMPSTXZ`adefgmrsu", " @", " A", "'}", "'~", "!p", " q"))
    .map(([begin, list, control, end]) => begin + list + control + end),
);
const erasing = stays(
  fc.tuple(csi, fc.constantFrom("", "0", "2", "3", "?2", "?"), fc.constantFrom("J", "K")).map(([begin, list, end]) => begin + list + end),
);
const modes = stays(
  fc
    .tuple(
      csi,
      fc.constantFrom(
        "?1",
        "?6",
        "?7",
        "?12",
        "?25",
        "?45",
        "?47",
        "?66",
        "?1000",
        "?1004",
        "?1006",
        "?1047",
        "?1048",
        "?1049",
        "?2004",
        "4",
        "20",
      ),
      fc.constantFrom("h", "l"),
    )
    .map((list) => list.join("")),
);
const colours = stays(
  fc
    .tuple(csi, fc.constantFrom("", "0", "1;31", "38;5;99", "48;2;1;2;3", "38:2::9:8:7", "4:3", "58;5;1", "7;27;53"), fc.constant("m"))
    .map((list) => list.join("")),
);
const escapes = stays(
  fc.constantFrom(
    ..."78DEHM=>cno|}~".split("").map((final) => `\x1b${final}`),
    "\x1b(0",
    "\x1b(B",
    "\x1b)0",
    "\x1b#8",
    "\x1b%G",
    "\x1b\\",
    "\u0084",
    "\u0085",
    "\u0088",
    "\u009c",
  ),
);
const strings = stays(
  fc.oneof(
    fc
      .tuple(
        osc,
        fc.constantFrom(
          "0;title",
          "2;Größe ?",
          "1;i",
          "8;;http://a/?b=c",
          "8;id=1;u",
          "8;;",
          "4;1;red;2;#00ff00",
          "10;#fff",
          "104",
          "52;c;aGk=",
          "133;A",
          "1337;CurrentDir=/a",
          "9;?",
          "L bad",
        ),
        oscEnd,
      )
      .map((list) => list.join("")),
    fc.tuple(dcs, fc.constantFrom("q#0;2;0;0;0~~", "1;1|17/1b", "=1s", "1;2>zq?", "+p524742"), stringEnd).map((list) => list.join("")),
    fc
      .tuple(fc.constantFrom("\x1b_", "\x1b^", "\x1bX", "\u009f"), fc.constantFrom("", "note", "Hello?", "x\n\x07y"), stringEnd)
      .map((list) => list.join("")),
  ),
);

const csiQueries = fc
  .tuple(
    csi,
    fc.constantFrom(
      "c",
      "0c",
      ">c",
      ">0c",
      "=c",
      "5n",
      "6n",
      "06n",
      "?6n",
      "?996n",
      "?15n",
      "4$p",
      "?2026$p",
      "?99999$p",
      ">q",
      ">0q",
      "14t",
      "16t",
      "18t",
      "14;2t",
      "11t",
      "13t",
      "19t",
      "20t",
      "21t",
      "?u",
      "?4m",
      "?1;1;0S",
      "x",
      "1$w",
      "2$u",
      "&u",
      "1;1;1;1;2;2*y",
      '"v',
      "'|",
      "#R",
      "1;1;2;2#|",
      "8;50;100t",
      "3*z",
    ),
  )
  .map((list) => list.join(""));
/** Other ways to write the same query, which xterm reads just as well. */
const disguises = fc.constantFrom<(query: string) => string>(
  (query) => query,
  (query) => query,
  (query) => query.replace("\x1b[", "\x1b\x7f["),
  (query) => `\x1b[12${query}`,
  (query) => `\x1b(${query}`,
  (query) => query.replace(/\d(?=\D*$)/, "$&\x7f"),
  (query) => query.replace(/([a-zA-Z|])$/, "\x7f$1"),
);
const stringQueries = fc.oneof(
  fc
    .tuple(
      osc,
      fc.constantFrom(
        "4;1;?",
        "4;1;?;300;?",
        "5;0;?",
        "10;?",
        "11;?",
        "11;?;?",
        "12;?",
        "0011;?",
        "13;?",
        "17;?",
        "19;?",
        "50;?",
        "52;c;?",
        "52;;?",
        "21;foreground=?",
        "22;?pointer",
        "60",
        "61",
        "99;i=1:p=?;",
        "702;?",
        "1337;ReportCellSize",
        "1337;RequestUpload=format=tgz",
        "1337;File=name=a:AAAA",
        "5522;type=read",
        "11;\x01?",
        "1\x011;?",
      ),
      oscEnd,
    )
    .map((list) => list.join("")),
  fc.tuple(dcs, fc.constantFrom("$qm", "$qr", "$q q", '$q"p', "1$qzzz", "+q544e", "@kitty-cmd{}"), stringEnd).map((list) => list.join("")),
  fc.tuple(fc.constantFrom("\x1b_", "\u009f"), fc.constantFrom("Ga=q,i=1;AAAA", "Gi=31;"), stringEnd).map((list) => list.join("")),
);
const queries = goes(
  fc.oneof(
    fc.tuple(csiQueries, disguises).map(([query, disguise]) => disguise(query)),
    stringQueries,
    fc.constantFrom("\x1bZ", "\u009a"),
  ),
);

/** What xterm gives up in the middle: nothing of it is seen. */
const abandoned = goes(
  fc.oneof(
    fc
      .tuple(fc.constantFrom("\x1b", "\x1b(", "\x1b[1;2", "\x1b[?", "\x1bP1", "\x1b_note", "\x1bX"), fc.constantFrom("é", "漢", "😀"))
      .map((list) => list.join("")),
    fc
      .tuple(
        fc.constantFrom("\x1b", "\x1b[", "\x1b[12;3", "\x1b[?6", "\x1b]0;lost", "\x1b]11;?", "\x1bP$q", "\x1bPqzz", "\x1b_Gi", "\x1b("),
        fc.constantFrom("\x18", "\x1a"),
      )
      .map((list) => list.join("")),
  ),
);

/** Parts that mean the same wherever they stand: each begins and ends in ground state. */
export const wholeParts: fc.Arbitrary<Part[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: text },
    { weight: 3, arbitrary: controls },
    { weight: 5, arbitrary: editing },
    { weight: 2, arbitrary: erasing },
    { weight: 2, arbitrary: modes },
    { weight: 2, arbitrary: colours },
    { weight: 2, arbitrary: escapes },
    { weight: 2, arbitrary: strings },
    { weight: 5, arbitrary: queries },
    { weight: 1, arbitrary: abandoned },
  ),
  { maxLength: 60 },
);

/** Pieces of sequences and bad UTF-8, to be put together in any order. */
const shards = fc.constantFrom(
  ...[
    ..."\x1b[]P_^X\\;:?>=!$'\" #*&+0123456789ABCDHJKLMSTbcfghlmnpqrstuvxyz@`~|{}",
    "\x07",
    "\x18",
    "\x1a",
    "\x05",
    "\x7f",
    "\n",
    "\x9b",
    "\x9d",
    "\x90",
    "\x9c",
    "\xc2",
    "\xe2",
    "\xf0",
    "\x80",
    "\xff",
  ].map(latin),
  ...["\u009b", "\u009d", "\u0090", "\u009c", "\u0084", "\u009a", "\u0098", "\u009f", "\u0301", "漢", "\ufeff", "\u{10000}"].map(bytes),
  ...["\x1b[6n", "\x1b]11;?", "\x1bP$qm", "99999S", "65535b", "\x1b\\", "\x1b[", "\x1b]", "\x1b[4h", "\x1b[?7l", "52;c;?"].map(latin),
);

/** Anything: for what must hold for every stream. */
export const anyStream: fc.Arbitrary<Uint8Array> = fc.oneof(
  { weight: 3, arbitrary: fc.array(shards, { maxLength: 120 }).map(join) },
  { weight: 3, arbitrary: wholeParts.map((parts) => join(parts.map((part) => part.bytes))) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 400 }) },
  {
    weight: 2,
    arbitrary: fc
      .array(
        fc.oneof(
          shards,
          wholeParts.map((parts) => join(parts.map((part) => part.bytes).slice(0, 4))),
        ),
        { maxLength: 40 },
      )
      .map(join),
  },
);

const longText = fc.constantFrom("a", "word ", "漢字", "line\r\n", "\n", "e\u0301", "\u0301\u0302", "\x07");

/** Sequences, strings and text about as long as the guard's limits. */
export const longStream: fc.Arbitrary<Uint8Array> = fc
  .array(
    fc.oneof(
      fc
        .tuple(
          osc,
          fc.constantFrom("0;", "52;c;", "0052;c;", "9;", "777;notify;", "L"),
          fc.constantFrom(65_528, 65_534, 65_540, 153_580, 153_600),
          fc.nat(12),
          oscEnd,
        )
        .map(([begin, head, length, more, end]) => begin + head + "x".repeat(length + more) + end),
      fc
        .tuple(osc, fc.constantFrom("4;", "104;"), fc.integer({ min: 500, max: 530 }), oscEnd)
        .map(([begin, head, pairs, end]) => `${begin}${head}${"1;red;".repeat(pairs)}${end}`),
      fc
        .tuple(dcs, fc.constantFrom("q", "1;1>zq", "$q", "<0;1;2?q"), fc.integer({ min: 65_520, max: 65_540 }), stringEnd)
        .map(([begin, head, length, end]) => begin + head + "~".repeat(length) + end),
      fc
        .tuple(fc.constantFrom("\x1b_", "\x1bX"), fc.integer({ min: 65_520, max: 65_540 }), stringEnd)
        .map(([begin, length, end]) => begin + "s".repeat(length) + end),
      fc
        .tuple(
          csi,
          fc.constantFrom("1;", "0", "\n", "\x07", "\x7f", ":4", "\x1b", "\x1b[", " "),
          fc.integer({ min: 1000, max: 1040 }),
          fc.constantFrom("m", "6n", "S", "H", "é", "\x18", "p"),
        )
        .map(([begin, filling, length, end]) => begin + filling.repeat(Math.ceil(length / filling.length)) + end),
      fc
        .tuple(
          fc.constantFrom("\x1b", "\x1b(", "\x1bP"),
          fc.constantFrom("\n", "(", "1", "\x7f"),
          fc.integer({ min: 1010, max: 1030 }),
          fc.constantFrom("B", "Z", "[6n", "\x1b\\"),
        )
        .map(([begin, filling, length, end]) => begin + filling.repeat(length) + end),
      fc.tuple(longText, fc.integer({ min: 1, max: 30_000 })).map(([text, times]) => text.repeat(times)),
      fc.constantFrom("\x1b[4h", "\x1b[4l", "\x1b[?7l", "\x1b]8;;http://x\x07", "\x1b[2;4r", "\x1b[r", "\x1b[6n", "\x1bc"),
    ),
    { maxLength: 8 },
  )
  .map((texts) => bytes(texts.join("")));

export function join(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}
