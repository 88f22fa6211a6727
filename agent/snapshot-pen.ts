/**
 * The pen of a snapshot: which attributes the receiving emulator would print with now, and the shortest way to others. Owns what a
 * snapshot is written to, and SGR, DECSCA and OSC 8. Knows no rows and no cursor.
 */
import { type Attributes, bgFlag, colourMode, fgFlag, plainColour } from "./emulator.js";
import { ByteSink } from "./snapshot-sink.js";

/** Attributes as they are written: what an emulator ignores is taken out. */
export interface Ink {
  /** Colour and flags, underline among them. */
  fg: number;
  /** Colour and flags; never `extended`. */
  bg: number;
  /** 1 to 5 where underlined, else 0. */
  underline: number;
  /** -1: nobody sees it, leave it. */
  underlineColour: number;
  /** xterm's number of the link; 0: none, -1: one that xterm has forgotten the address of. */
  link: number;
}

const fgFlags = 0xfc000000 | 0;
const bgFlags = bgFlag.italic | bgFlag.dim | bgFlag.overline | bgFlag.protected;
const styleShift = 26;
const styleMask = 7;
const underlineColourMask = 0x3ffffff;

/** SGR codes that switch one flag on and off; bold and dim share their off. */
const fgCodes = [
  [fgFlag.inverse, ";7", ";27"],
  [fgFlag.blink, ";5", ";25"],
  [fgFlag.invisible, ";8", ";28"],
  [fgFlag.strike, ";9", ";29"],
] as const;
const otherFgFlags = fgFlag.inverse | fgFlag.blink | fgFlag.invisible | fgFlag.strike;
const bgCodes = [
  [bgFlag.italic, ";3", ";23"],
  [bgFlag.overline, ";53", ";55"],
] as const;
const otherBgFlags = bgFlag.italic | bgFlag.overline;

/**
 * A link whose row was erased is forgotten while it is still open, and what is printed from then on stays dashed and leads nowhere. The
 * same happens to a link that is opened on the other screen; but each visit there makes a screen of cells, so only a few are made.
 */
const forgottenLink = -1;
const maxForgotten = 16;
/** What a forgotten link looks like: dashes. */
const dashed = 5;
/** A link that was opened only to have one. */
const anyLink = -2;

export class Pen {
  readonly #sink: ByteSink;
  #fg = 0;
  #bg = 0;
  #underline = 0;
  #underlineColour = 0;
  #link = 0;
  #forgotten = 0;
  /** Whether the other screen may be visited: while the normal one is written. */
  canVisit = true;

  /**
   * `links`: where xterm's numbered links lead. `limit`: bytes that a snapshot may take. `plain`: without attributes and links, for a
   * screen that does not fit with them.
   */
  constructor(
    private readonly links: (id: number) => { readonly id?: string; readonly uri: string } | undefined,
    limit: number,
    private readonly plain: boolean,
  ) {
    this.#sink = new ByteSink(limit);
  }

  /** Too much was written; nothing more is. */
  get full(): boolean {
    return this.#sink.full;
  }

  put(text: string): void {
    this.#sink.put(text);
  }

  /** One character. */
  code(codepoint: number): void {
    this.#sink.code(codepoint);
  }

  /** Everything written so far. */
  bytes(): Uint8Array<ArrayBuffer> {
    return this.#sink.bytes();
  }

  /** The background colour that erasing and scrolling would fill with. */
  get fill(): number {
    return this.#bg & ~bgFlags;
  }

  /** Whether `set` of this ink would write nothing. */
  holds(ink: Ink): boolean {
    return (
      this.#fg === ink.fg &&
      this.#bg === ink.bg &&
      this.#underline === ink.underline &&
      (ink.underlineColour === -1 || ink.underlineColour === this.#underlineColour) &&
      this.#link === ink.link
    );
  }

  /** The attributes of a cell, or of the cursor (`exact`: also what shows only after a later sequence). */
  ink(from: Attributes, exact = false): Ink {
    const extended = (from.bg & bgFlag.extended) !== 0;
    const { _ext, urlId } = from.extended;
    const style = (_ext >>> styleShift) & styleMask;
    let underline = (from.fg & fgFlag.underline) !== 0 ? (extended ? style || 1 : 1) : 0;
    let link = extended ? urlId : 0;
    if (link === 0 && extended && style !== 0 && underline === 0) underline = style;
    if (link !== 0 && this.links(link) === undefined) {
      const possible = this.canVisit && this.#forgotten < maxForgotten;
      link = possible ? forgottenLink : 0;
      if (!possible) underline = dashed;
    }
    const fg = plainColour(from.fg) | (from.fg & fgFlags & ~fgFlag.underline) | (underline === 0 ? 0 : fgFlag.underline);
    const seen = exact || underline !== 0 || link !== 0;
    return {
      fg,
      bg: plainColour(from.bg) | (from.bg & bgFlags),
      underline,
      underlineColour: seen ? plainColour(_ext & underlineColourMask) : -1,
      link,
    };
  }

  /** `gently`: without SGR 0, which would also take what is not seen. */
  set(ink: Ink, gently = false): void {
    if (this.holds(ink) || this.plain) return;
    const colourGone = ink.underlineColour === 0 && this.#underlineColour !== 0;
    const plain = ink.fg === 0 && ink.bg === 0 && ink.underline === 0;
    let codes = "";
    if (colourGone || (plain && !gently && (this.#fg !== 0 || this.#bg !== 0))) {
      this.#resetAttributes();
      codes = plain && ink.underlineColour <= 0 ? ";" : ";0";
    }
    if (this.#fg !== ink.fg || this.#bg !== ink.bg) {
      codes += this.#flags(ink);
      if (plainColour(this.#fg) !== plainColour(ink.fg)) codes += colourCode(ink.fg, 30, 90, "38", "39");
      if (plainColour(this.#bg) !== plainColour(ink.bg)) codes += colourCode(ink.bg, 40, 100, "48", "49");
    }
    if (this.#underline !== ink.underline) codes += ink.underline === 0 ? ";24" : ink.underline === 1 ? ";4" : `;4:${ink.underline}`;
    if (ink.underlineColour > 0 && ink.underlineColour !== this.#underlineColour) codes += underlineColourCode(ink.underlineColour);
    if (codes !== "") this.put(`\x1b[${codes.slice(1)}m`);
    if (((this.#bg ^ ink.bg) & bgFlag.protected) !== 0) this.put((ink.bg & bgFlag.protected) !== 0 ? '\x1b[1"q' : '\x1b[0"q');
    if (this.#link !== ink.link) this.#openLink(ink.link);
    this.#fg = ink.fg;
    this.#bg = ink.bg;
    this.#underline = ink.underline;
    if (ink.underlineColour !== -1) this.#underlineColour = ink.underlineColour;
    this.#link = ink.link;
  }

  /** Changes the background colour alone: erasing and scrolling look at nothing else. */
  setFill(colour: number): void {
    if (this.fill === colour || this.plain) return;
    if (colour === 0 && this.#fg === 0 && (this.#bg & bgFlags) === 0 && this.#underline === 0) {
      this.put("\x1b[m");
      this.#underlineColour = 0;
    } else {
      this.put(`\x1b[${colourCode(colour, 40, 100, "48", "49").slice(1)}m`);
    }
    this.#bg = (this.#bg & bgFlags) | colour;
  }

  /** Back to default attributes and no link. */
  clear(): void {
    this.set({ fg: 0, bg: 0, underline: 0, underlineColour: 0, link: 0 });
  }

  /** Opens some link: saved attributes remember that there was one, not which. The next `set` closes it. */
  openAnyLink(): void {
    if (this.plain) return;
    this.put("\x1b]8;;about:blank\x1b\\");
    this.#link = anyLink;
  }

  /** DECRC was written: colours and flags are the saved ones; shape and colour of the underline and the link stay, seen or not. */
  restored(saved: Attributes): void {
    const underlined = (saved.fg & fgFlag.underline) !== 0;
    this.#fg = plainColour(saved.fg) | (saved.fg & fgFlags);
    this.#bg = plainColour(saved.bg) | (saved.bg & bgFlags);
    if (!underlined) this.#underline = 0;
    if ((saved.bg & bgFlag.extended) === 0) this.#link = 0;
  }

  #resetAttributes(): void {
    this.#fg = 0;
    this.#bg = 0;
    this.#underline = 0;
    this.#underlineColour = 0;
  }

  /** Codes for what is not colour, each with a semicolon in front. */
  #flags(ink: Ink): string {
    let codes = "";
    let bold = (this.#fg & fgFlag.bold) !== 0;
    let dim = (this.#bg & bgFlag.dim) !== 0;
    const wantBold = (ink.fg & fgFlag.bold) !== 0;
    const wantDim = (ink.bg & bgFlag.dim) !== 0;
    if ((bold && !wantBold) || (dim && !wantDim)) {
      codes += ";22";
      bold = false;
      dim = false;
    }
    if (wantBold && !bold) codes += ";1";
    if (wantDim && !dim) codes += ";2";
    if (((this.#fg ^ ink.fg) & otherFgFlags) !== 0) {
      for (const [flag, on, off] of fgCodes) if (((this.#fg ^ ink.fg) & flag) !== 0) codes += (ink.fg & flag) !== 0 ? on : off;
    }
    if (((this.#bg ^ ink.bg) & otherBgFlags) !== 0) {
      for (const [flag, on, off] of bgCodes) if (((this.#bg ^ ink.bg) & flag) !== 0) codes += (ink.bg & flag) !== 0 ? on : off;
    }
    return codes;
  }

  #openLink(link: number): void {
    if (link === forgottenLink) {
      this.#forgotten += 1;
      this.put("\x1b[?47h\x1b]8;;about:blank\x1b\\\x1b[?47l");
      return;
    }
    const data = link === 0 ? undefined : this.links(link);
    if (data === undefined) this.put("\x1b]8;;\x1b\\");
    else this.put(`\x1b]8;${data.id === undefined ? "" : `id=${data.id}`};${data.uri}\x1b\\`);
  }
}

/** With a semicolon in front. */
function colourCode(value: number, first: number, bright: number, extended: string, off: string): string {
  const colour = plainColour(value);
  switch (colour & colourMode.mask) {
    case colourMode.p16:
      return `;${(colour & 8) !== 0 ? bright + (colour & 7) : first + (colour & 7)}`;
    case colourMode.p256:
      return `;${extended};5;${colour & 0xff}`;
    case colourMode.rgb:
      return `;${extended};2;${(colour >>> 16) & 0xff};${(colour >>> 8) & 0xff};${colour & 0xff}`;
    default:
      return `;${off}`;
  }
}

function underlineColourCode(colour: number): string {
  if ((colour & colourMode.mask) === colourMode.rgb) return `;58:2::${(colour >>> 16) & 0xff}:${(colour >>> 8) & 0xff}:${colour & 0xff}`;
  return `;58:5:${colour & 0xff}`;
}
