/**
 * What becomes of a string sequence (OSC, DCS, APC, PM, SOS) that came to its end: kept, taken out, or kept in part. Owns the list of
 * queries among them. Refuses to know how long they may be and where they begin: `guard.ts` does.
 *
 * An OSC that both sets and asks (`OSC 10;#fff;?`) stays without its questions; these follow it as queries, so that a program that sets a
 * colour and reads it back in one breath gets the new one. Taken out as well, because a terminal behind `muxdeck attach` answers or acts on
 * them and no pane does: file transfer and reports of OSC 1337, OSC 5113 and 5522, kitty's graphics and remote control.
 */

import type { Costs } from "./guard-costs.js";
import { ascii, sequenceId } from "./guard-csi.js";

export type StringVerdict =
  | { kind: "keep"; cost: number }
  /** `body` goes out instead of what stood between introducer and terminator; `queries` follow it. */
  | { kind: "rewrite"; body: string; queries: Uint8Array[] }
  | { kind: "drop"; queries: Uint8Array[] };

/** Colour pairs of one OSC 4 that are of use; xterm takes n² steps for n of them. */
const mostColours = 512;

const unchanged: StringVerdict = { kind: "keep", cost: 0 };
const dropped: StringVerdict = { kind: "drop", queries: [] };
const semicolon = 0x3b;
const questionMark = 0x3f;

/** Free text, in which a question mark is a question mark. */
const textual = new Set([0, 1, 2, 7, 8, 9, 66, 133, 633, 777]);

/** Answered, whatever they hold. 60, 61: allowed features; 5113: file transfer; 5522: clipboard. */
const alwaysQueries = new Set([60, 61, 5113, 5522]);

/** The command number of an OSC: null where xterm sees none, or not yet. Control bytes in it do not count; a byte of UTF-8 ends it. */
export function oscNumber(payload: Uint8Array): { number: number; bodyAt: number } | null {
  let number = -1;
  for (let at = 0; at < payload.length; at += 1) {
    const byte = payload[at] ?? 0;
    if (byte < 0x20) continue;
    if (byte === semicolon) return { number, bodyAt: at + 1 };
    if (byte < 0x30 || byte > 0x39) return null;
    number = Math.max(number, 0) * 10 + byte - 0x30;
  }
  return { number, bodyAt: payload.length };
}

/** @param payload what stands between introducer and terminator */
export function judgeOsc(payload: Uint8Array, costs: Costs): StringVerdict {
  const command = oscNumber(payload);
  // xterm skips bad UTF-8 inside the number: what it reads then is not what stands here.
  if (command === null) return payload.some((byte) => byte >= 0x80) ? dropped : unchanged;
  const body = payload.subarray(command.bodyAt);
  if (command.number === 8) return judgeLink(body, costs);
  if (textual.has(command.number)) return unchanged;
  if (alwaysQueries.has(command.number)) return dropped;
  if (command.number === 1337) return /^(Report|Request|Capabilities|File|MultipartFile)/.test(printable(body)) ? dropped : unchanged;
  if (command.number === 4 && count(body, semicolon) > 2 * mostColours) return dropped;
  if (!body.includes(questionMark)) return command.number === 99 && asksKitty(printable(body)) ? dropped : unchanged;
  if (command.number === 52) return dropped;
  const fields = printable(body).split(";");
  if (command.number === 4 || command.number === 5) return judgePalette(command.number, fields);
  if (command.number >= 10 && command.number <= 19) return judgeColours(command.number, fields);
  if (command.number === 99) return asksKitty(fields[0] ?? "") ? dropped : unchanged;
  return fields.some((field) => field.startsWith("?") || field.endsWith("=?")) ? dropped : unchanged;
}

export function judgeDcs(collected: readonly number[], final: number, payload: Uint8Array): StringVerdict {
  switch (sequenceId(collected, final)) {
    case 0x2471: // $ q DECRQSS. An unknown setting gets an answer too, which says only that.
      return { kind: "drop", queries: [ascii(`\x1bP$q${printable(payload.subarray(0, 64)).slice(0, 8)}\x1b\\`)] };
    case 0x2b71: // + q XTGETTCAP
      return dropped;
    case 0x40: // @kitty-cmd
      return printable(payload.subarray(0, 64)).startsWith("kitty") ? dropped : unchanged;
    default:
      return unchanged;
  }
}

/** @param introducer `X` for SOS, `^` for PM, `_` for APC */
export function judgePlainString(introducer: number, payload: Uint8Array): StringVerdict {
  const graphics = introducer === 0x5f && payload.find((byte) => byte >= 0x20) === 0x47;
  return graphics ? dropped : unchanged;
}

function judgeLink(body: Uint8Array, costs: Costs): StringVerdict {
  const separator = body.indexOf(semicolon);
  if (separator < 0) return unchanged;
  if (body.subarray(separator + 1).some((byte) => byte >= 0x20)) {
    const cost = costs.openLink();
    if (cost !== null) return { kind: "keep", cost };
    costs.closeLink();
    return { kind: "rewrite", body: "8;;", queries: [] };
  }
  costs.closeLink();
  return unchanged;
}

/** OSC 4 and 5: pairs of index and colour. xterm answers only for the palette. */
function judgePalette(number: number, fields: readonly string[]): StringVerdict {
  const kept: string[] = [];
  const queries: Uint8Array[] = [];
  let asked = false;
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const index = fields[at] ?? "";
    const colour = fields[at + 1] ?? "";
    if (colour !== "?") {
      kept.push(index, colour);
      continue;
    }
    asked = true;
    if (number === 4 && /^\d+$/.test(index) && Number(index) < 256) queries.push(ascii(`\x1b]4;${Number(index)};?\x1b\\`));
  }
  if (!asked) return unchanged;
  return kept.length === 0 ? { kind: "drop", queries } : { kind: "rewrite", body: `${number};${kept.join(";")}`, queries };
}

/** OSC 10 to 19: each further field is about the next colour. xterm answers for 10, 11 and 12. */
function judgeColours(number: number, fields: readonly string[]): StringVerdict {
  const queries: Uint8Array[] = [];
  let asked = false;
  let first = -1;
  let last = -1;
  const kept = fields.map((field, index) => {
    if (field === "?") {
      asked = true;
      if (number + index <= 12) queries.push(ascii(`\x1b]${number + index};?\x1b\\`));
      return "";
    }
    if (field !== "") {
      if (first < 0) first = index;
      last = index;
    }
    return field;
  });
  if (!asked) return unchanged;
  if (first < 0 || number + first > 19) return { kind: "drop", queries };
  return { kind: "rewrite", body: `${number + first};${kept.slice(first, last + 1).join(";")}`, queries };
}

/** OSC 99: asks what is supported or which notifications are alive. */
function asksKitty(metadata: string): boolean {
  return /(^|:)p=(\?|alive)(:|;|$)/.test(metadata);
}

/** What xterm keeps of a payload, without anything that is not ASCII: no query has such characters. */
function printable(payload: Uint8Array): string {
  const text = Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString("latin1");
  return text.replace(/[^ -~]/g, "");
}

function count(bytes: Uint8Array, byte: number): number {
  let found = 0;
  for (let at = bytes.indexOf(byte); at >= 0; at = bytes.indexOf(byte, at + 1)) found += 1;
  return found;
}
