/**
 * Text: everything between sequences. Its bytes go out as they came, except combining marks that pile up too high; lines, bells and the
 * length of items are counted on the way. Owns that loop, which every byte of output passes. Refuses to look into sequences.
 */
import type { Costs } from "./guard-costs.js";
import type { GuardItems } from "./guard-items.js";
import { isMark, mayBeWide, mostMarks } from "./guard-marks.js";
import { noCodePoint, nonAscii, readCharacter, stringTerminator } from "./guard-states.js";

const kinds = { plain: 0, lineFeed: 1, bell: 2, escape: 3, nonAscii: 4 } as const;
/** Bytes that begin no character are plain: xterm skips them. */
const kindOf = new Uint8Array(256).fill(kinds.nonAscii, 0xc0, 0xf8);
kindOf.fill(kinds.lineFeed, 0x0a, 0x0d);
kindOf[0x07] = kinds.bell;
kindOf[0x1b] = kinds.escape;

/** LF, VT and FF. */
export function isLineFeed(byte: number): boolean {
  return kindOf[byte] === kinds.lineFeed;
}

export class TextReader {
  /** Combining marks since the last character with a column of its own. */
  marks = 0;

  constructor(
    private readonly items: GuardItems,
    private readonly costs: Costs,
  ) {}

  /**
   * Lets text go out from `from` on. Returns where an ESC or a C1 control stands, or the end of the chunk; an unfinished character before
   * that end stays undecided.
   */
  read(from: number): number {
    const { items, costs } = this;
    const { chunk } = items;
    const end = chunk.length;
    let at = from;
    let pileEnd = from;
    while (at < end) {
      const begin = at;
      const each = costs.character;
      const cells = items.cellsLeft;
      let stop = Math.min(end, at + items.bytesLeft(at), at + (each === 1 ? cells : Math.floor(cells / each)));
      let extra = 0;
      let bells = 0;
      /** Why the loop ended: at an ESC or C1 control, before an unfinished character, at a mark too many; else the item is full. */
      let halt: "sequence" | "unfinished" | "pile" | null = null;
      let length = 1;
      for (; at < stop; at += length) {
        length = 1;
        const kind = kindOf[chunk[at] ?? 0];
        if (kind === kinds.plain) continue;
        if (kind === kinds.nonAscii) {
          const read = readCharacter(chunk, at);
          const code = read >> 3;
          length = read & 7;
          if (length === 0 || at + length > stop) {
            if (length === 0) halt = "unfinished";
            break;
          }
          if (code === noCodePoint || code === stringTerminator) continue;
          if (code < nonAscii) {
            halt = "sequence";
            break;
          }
          if (!isMark(code)) {
            this.marks = costs.wraps || !mayBeWide(code) ? 0 : mostMarks;
            continue;
          }
          if (this.marks > 0) this.endPile(pileEnd, at);
          pileEnd = at + length;
          this.marks += 1;
          if (this.marks <= mostMarks) continue;
          this.marks = mostMarks;
          halt = "pile";
          break;
        }
        if (kind === kinds.escape) {
          halt = "sequence";
          break;
        }
        if (kind === kinds.bell) {
          bells += 1;
          continue;
        }
        const cost = costs.lineFeed;
        if ((at + 1 - begin) * each + extra + cost > cells) break;
        costs.fed();
        extra += cost;
        stop = Math.min(stop, begin + Math.floor((cells - extra) / each));
      }
      items.text(at, (at - begin) * each + extra, bells);
      if (halt === "pile") {
        at += length;
        items.drop(at);
      } else if (halt !== null || at === end) {
        if (this.marks > 0) this.endPile(pileEnd, at);
        return halt === "unfinished" ? end : at;
      } else items.flush();
    }
    return at;
  }

  /** A byte of ASCII ends the pile of marks, unless it is DEL, which xterm does not notice. Other characters did it when they were read. */
  private endPile(begin: number, end: number): void {
    const { chunk } = this.items;
    for (let at = begin; at < end; at += 1) {
      const byte = chunk[at] ?? 0;
      if (byte >= 0x7f) continue;
      this.marks = 0;
      return;
    }
  }
}
