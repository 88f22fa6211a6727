/**
 * What a session's output has changed about the local terminal, and how to undo it. Owns noticing the few things that are not safe to undo
 * blindly (the other screen, keyboard protocols, colours), and the two sequences around an attach. Keeps no screen.
 */

/** Longest sequence that is looked at across two pieces of output. */
const longestSequence = 64;

/** CSI in both forms, as it stands in UTF-8. */
const sequences = /(?:\x1b\[|\xc2\x9b)([<=>?]?)([\d;:]*)([@-~])|\x1b\](4|10|11|12);[^?]|\x1bc/g;

/**
 * Everything a program may have switched that is safe to switch off: attributes, character sets, margins, origin, insert, keypad and cursor
 * keys, wrapping, mouse in all encodings, focus reports, pastes in brackets, a held frame, an open link, the cursor's look.
 */
const plain =
  "\x1b[!p\x1b[0m\x0f\x1b(B\x1b)B\x1b[?6l\x1b[4l\x1b[20l\x1b[r\x1b[?1l\x1b>\x1b[?7h\x1b[?12l\x1b[?25h\x1b[?5l" +
  "\x1b[?9l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1005l\x1b[?1006l\x1b[?1015l\x1b[?1016l\x1b[?1004l\x1b[?2004l\x1b[?2026l" +
  "\x1b]8;;\x1b\\\x1b[0 q";

export class TerminalModes {
  #rest = "";
  #alternate = false;
  #kittyKeys = false;
  #otherKeys = false;
  #colours = new Set<string>();
  #focusReports = false;

  /** The program wants to know when the terminal gains and loses the focus. */
  get focusReports(): boolean {
    return this.#focusReports;
  }

  /** Output on its way to the terminal. */
  saw(bytes: Uint8Array): void {
    const text = this.#rest + Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
    for (const [whole, prefix = "", parameters = "", final = "", colour] of text.matchAll(sequences)) {
      if (whole === "\x1bc") this.#reset();
      else if (colour !== undefined) this.#colours.add(colour);
      else if (prefix === "?" && (final === "h" || final === "l")) this.#privateModes(parameters.split(";"), final === "h");
      else if (final === "u" && prefix !== "" && prefix !== "?") this.#kittyKeys = true;
      else if (final === "m" && prefix === ">") this.#otherKeys = true;
    }
    // A sequence that is cut in two is seen whole with the next piece; one that is seen twice changes nothing.
    const last = Math.max(text.lastIndexOf("\x1b"), text.lastIndexOf("\xc2"));
    this.#rest = last >= 0 && text.length - last <= longestSequence ? text.slice(last) : "";
  }

  /** Before a whole screen is drawn: a terminal as after a reset, but with its own scrollback and title. */
  clean(): string {
    const undo = this.#undo();
    this.#reset();
    return `${undo}\x1b[3g${tabStops}\x1b[H\x1b[2J`;
  }

  /** When the terminal is given back: the cursor on an empty line at the bottom, the title as it was. */
  leave(): string {
    return `${this.#undo()}\x1b[999;1H\r\n\x1b[23;0t`;
  }

  /** When the terminal is taken: its title is kept, and what stands on it moves into its scrollback. */
  enter(rows: number): string {
    return `\x1b[22;0t\x1b[999;1H${"\r\n".repeat(rows)}`;
  }

  #undo(): string {
    const keys = `${this.#kittyKeys ? "\x1b[=0u\x1b[<99u" : ""}${this.#otherKeys ? "\x1b[>4m" : ""}`;
    const colours = [...this.#colours].map((number) => `\x1b]${Number(number) + 100}\x1b\\`).join("");
    return `${this.#alternate ? "\x1b[?1049l" : ""}${plain}${keys}${colours}`;
  }

  #reset(): void {
    this.#alternate = false;
    this.#focusReports = false;
    this.#colours.clear();
  }

  #privateModes(numbers: readonly string[], on: boolean): void {
    for (const number of numbers) {
      if (number === "47" || number === "1047" || number === "1049") this.#alternate = on;
      if (number === "1004") this.#focusReports = on;
    }
  }
}

/** Every eighth column, as after a reset; the cursor is moved there to set each. */
const tabStops = `${Array.from({ length: 40 }, (_, index) => `\x1b[1;${(index + 1) * 8 + 1}H\x1bH`).join("")}`;
