/**
 * Random terminal output from a seed: words of a grammar in which every sequence that changes a screen is likely, at sizes so small that
 * corners are met often. The same seed gives the same output everywhere.
 */

export type Random = () => number;

/** A small generator of numbers from 0 to 1; quality matters less than that it is the same on every machine. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

export function below(random: Random, limit: number): number {
  return Math.floor(random() * limit);
}

export function pick<T>(random: Random, from: readonly T[], otherwise: T): T {
  return from[below(random, from.length)] ?? otherwise;
}

const csi = "\x1b[";
const words = ["a", "word", "the quick brown fox", "漢", "字漢", "あ", "한글", "e\u0301", "\u0301", "─│", "😀", " ", "0123456789"];
const controls = ["\r\n", "\n", "\r", "\b", "\t", "\x0e", "\x0f"];
const finals = [..."@ABCDEFGHIJKLMPSTXZ`abdefg"];
const attributes = [
  "",
  "0",
  "1",
  "2",
  "3",
  "4",
  "4:3",
  "5",
  "7",
  "8",
  "9",
  "21",
  "22",
  "24",
  "27",
  "31",
  "42",
  "44",
  "91",
  "105",
  "38;5;100",
  "48;5;3",
];
const moreAttributes = ["38;2;1;2;3", "48;2;9;8;7", "58:2::4:5:6", "58:5:7", "53", "39", "49", "1;31;44", "0;7"];
const escapes = ["\x1b7", "\x1b8", "\x1bM", "\x1bD", "\x1bE", "\x1bH", "\x1b#8", "\x1b=", "\x1b>"];
const charsets = ["\x1b(0", "\x1b(B", "\x1b)0", "\x1b(A", "\x1b*0", "\x1bn", "\x1bo", "\x1b+4"];
const modes = [1, 6, 12, 25, 45, 66, 9, 1000, 1002, 1003, 1004, 1006, 1016, 2004, 2026];
const screens = ["?1049h", "?1049l", "?47h", "?47l", "?1048h", "?1048l"];
const strings = [
  "8;;http://a/",
  "8;id=x;http://b/",
  "8;;",
  "0;title",
  "2;other",
  "1;icon",
  "4;3;#123456",
  "104;3",
  "10;#fff",
  "111",
  "11;rgb:1/2/3",
];
const rarities = [
  '\x1b[1"q',
  '\x1b[0"q',
  "\x1b[?J",
  "\x1b[?K",
  "\x1b[ @",
  "\x1b[ A",
  "\x1b['}",
  "\x1b['~",
  "\x1b[3 q",
  "\x1b[0 q",
  "\x1b[!p",
  "\x1b[3g",
];

export function terminalWord(random: Random, cols: number, rows: number): string {
  const n = (limit: number) => below(random, limit);
  switch (n(16)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return pick(random, words, "a");
    case 4:
      return pick(random, controls, "\r");
    case 5:
    case 6:
      return `${csi}${n(rows + 2)};${n(cols + 2)}H`;
    case 7:
    case 8:
      return `${csi}${pick(random, ["", "1", "2", "3", String(n(cols))], "")}${pick(random, finals, "A")}`;
    case 9:
      return `${csi}${pick(random, [...attributes, ...moreAttributes], "")}m`;
    case 10:
      return pick(random, [...escapes, ...charsets], "\x1b7");
    case 11:
      return `${csi}${1 + n(rows)};${1 + n(rows + 1)}r`;
    case 12:
      return `${csi}?${pick(random, modes, 1)}${pick(random, ["h", "l"], "h")}`;
    case 13:
      return pick(random, [...screens.map((mode) => csi + mode), `${csi}4h`, `${csi}4l`, `${csi}20h`, `${csi}20l`], "");
    case 14:
      return `\x1b]${pick(random, strings, "8;;")}\x1b\\`;
    default:
      return pick(random, rarities, "");
  }
}
