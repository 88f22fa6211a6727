/**
 * What sequences cost an emulator, in cells touched, and the few modes that decide it. Prices follow measurements of xterm 6.0.0: 100 000
 * cells are 10 to 50 ms of it on a slow core, whatever they are spent on. Owns the prices and the count of live hyperlinks. Refuses to
 * follow the cursor or the screen.
 */
import type { Size } from "../protocol/values.js";
import type { Parameters } from "./guard-parameters.js";

/** Cells one item may cost, and one sequence where the screen itself is not larger. */
export const mostCells = 100_000;

/**
 * Hyperlinks that may be alive at once. Each holds a marker that every scroll of the buffer visits, and xterm lets go of n of them in n² steps:
 * 50 000 on one line stopped it for 4 s at a single line feed.
 */
const mostLinks = 8192;

/** Lines after which a link has left the largest screen and the longest scrollback. */
const linesToForget = 11_000;

/** A character inside a link looks through the lines the link has (measured: up to 5 µs with 1000 lines, where a plain one takes 0.2). */
const linkedCharacter = 8;
const linkOpening = 100;

export class Costs {
  cols: number;
  rows: number;
  /** Cost of one byte of text. An inserted character moves the rest of its row. */
  character = 1;
  /**
   * Cost of LF, VT, FF, IND and NEL, each followed by `fed`: cheap where the screen scrolls into the scrollback, a row copied where it
   * scrolls in a region.
   */
  lineFeed = 0;
  /** DECAWM: text goes on in the next row. */
  wraps = true;
  private insert = false;
  private linked = false;
  private alternate = false;
  /** Whether the normal and the alternate screen scroll in a part of it: that copies rows instead of reusing the ring. */
  private readonly regions = { normal: false, alternate: false };
  /** Links opened on the normal screen before and after the last time `linesToForget` went by, and on the alternate one. */
  private readonly links = { old: 0, recent: 0, alternate: 0 };
  private liveLinks = 0;
  /** Line feeds since the cursor last moved otherwise: after a screenful of them each one scrolls. */
  private feeds = 0;
  private scrolled = 0;

  constructor(size: Size) {
    this.cols = size.cols;
    this.rows = size.rows;
    this.price();
  }

  /** Cells of the screen. */
  get cells(): number {
    return this.cols * this.rows;
  }

  resize(size: Size): void {
    this.cols = size.cols;
    this.rows = size.rows;
    this.regions.normal = false;
    this.regions.alternate = false;
    this.cursorMoved();
    this.price();
  }

  /** The cursor went down a line. */
  fed(): void {
    if (!this.alternate && !this.regions.normal) {
      this.feeds += 1;
      if (this.feeds > this.rows) this.scrolledAway();
    }
  }

  /** Scrolls, inserts or deletes `count` rows. */
  scroll(count: number): number {
    return count * (this.cols + (this.liveLinks >> 2));
  }

  /** Touches the whole screen. */
  screen(): number {
    return this.cells + this.liveLinks;
  }

  /** The cursor went, or may have gone, somewhere else than down a line. */
  cursorMoved(): void {
    this.feeds = 0;
  }

  /** Everything on the screen was erased. On the alternate one no link is left then. */
  erased(): void {
    if (this.alternate) this.links.alternate = 0;
    this.countLinks();
  }

  /** A hyperlink begins: its cost, or null when too many are alive. */
  openLink(): number | null {
    if (this.liveLinks >= mostLinks) return null;
    if (this.alternate) this.links.alternate += 1;
    else this.links.recent += 1;
    this.linked = true;
    this.countLinks();
    return linkOpening;
  }

  closeLink(): void {
    this.linked = false;
    this.price();
  }

  /** SM and RM: only insert mode matters. */
  setAnsiModes(parameters: Parameters, on: boolean): void {
    if (!parameters.includes(4)) return;
    this.insert = on;
    this.price();
  }

  /** DECSET and DECRST: its cost. The alternate screen is made anew each time. */
  setPrivateModes(parameters: Parameters, on: boolean): number {
    this.cursorMoved();
    if (parameters.includes(7)) this.wraps = on;
    if (!parameters.includes(47) && !parameters.includes(1047) && !parameters.includes(1049)) return 0;
    const cost = this.screen();
    if (!on) {
      this.links.alternate = 0;
      this.regions.alternate = false;
    }
    this.alternate = on;
    this.countLinks();
    return cost;
  }

  /** DECSTBM. */
  setRegion(top: number, bottom: number): void {
    this.cursorMoved();
    const last = bottom === 0 || bottom > this.rows ? this.rows : bottom;
    const first = top === 0 ? 1 : top;
    if (last <= first) return;
    this.regions[this.alternate ? "alternate" : "normal"] = first > 1 || last < this.rows;
    this.price();
  }

  /** DECSTR. */
  softReset(): void {
    this.cursorMoved();
    this.regions[this.alternate ? "alternate" : "normal"] = false;
    this.wraps = true;
    this.insert = false;
    this.linked = false;
    this.price();
  }

  /** RIS: its cost. */
  reset(): number {
    const cost = this.screen();
    this.alternate = false;
    this.regions.normal = false;
    this.regions.alternate = false;
    this.links.old = 0;
    this.links.recent = 0;
    this.links.alternate = 0;
    this.liveLinks = 0;
    this.softReset();
    return cost;
  }

  private scrolledAway(): void {
    this.scrolled += 1;
    if (this.scrolled < linesToForget) return;
    this.scrolled = 0;
    this.links.old = this.links.recent;
    this.links.recent = 0;
    this.countLinks();
  }

  private countLinks(): void {
    this.liveLinks = this.links.old + this.links.recent + this.links.alternate;
    this.price();
  }

  private price(): void {
    const region = this.alternate ? this.regions.alternate : this.regions.normal;
    this.character = Math.max(this.insert ? this.cols : 1, this.linked ? linkedCharacter : 1);
    this.lineFeed = (region ? this.cols : 4 + (this.cols >> 6)) + (this.liveLinks >> 3);
  }
}
