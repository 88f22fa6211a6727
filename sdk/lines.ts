/**
 * Text out of terminal output: UTF-8 decoded across chunks, escape sequences taken out, cut into lines. Owns what is cut in half at a
 * chunk's end. Knows no screen: what a program moved its cursor for is not resolved here.
 */

type State = "text" | "escape" | "control" | "string" | "string-escape" | "one-more";

/** Longest line that is kept together; a program may print without ever ending one. */
const longestLine = 1024 * 1024;

/** Takes escape sequences and control characters other than tab, CR and LF out of text that comes in pieces. */
export class AnsiStripper {
  #state: State = "text";

  push(text: string): string {
    if (this.#state === "text" && !/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/.test(text)) return text;
    let out = "";
    for (let at = 0; at < text.length; at++) out += this.#character(text[at] ?? "", text.charCodeAt(at));
    return out;
  }

  #character(character: string, code: number): string {
    switch (this.#state) {
      case "text":
        return this.#text(character, code);
      case "escape":
        this.#escape(code);
        return "";
      case "control":
        return this.#control(character, code);
      case "string":
        if (code === 0x07 || code === 0x9c) this.#state = "text";
        else if (code === 0x1b) this.#state = "string-escape";
        return "";
      case "string-escape":
        this.#state = "text";
        // ESC \ ends the string; any other escape sequence does too, and is one itself.
        if (code !== 0x5c) this.#escape(code);
        return "";
      case "one-more":
        this.#state = "text";
        return "";
    }
  }

  #text(character: string, code: number): string {
    if (code === 0x1b) this.#state = "escape";
    else if (code === 0x9b) this.#state = "control";
    else if (code === 0x90 || code === 0x98 || (code >= 0x9d && code <= 0x9f)) this.#state = "string";
    else if (code >= 0xa0 || (code >= 0x20 && code < 0x7f) || code === 0x09 || code === 0x0a || code === 0x0d) return character;
    return "";
  }

  #escape(code: number): void {
    if (code === 0x5b) this.#state = "control";
    else if (code === 0x50 || code === 0x58 || (code >= 0x5d && code <= 0x5f)) this.#state = "string";
    else if (code >= 0x20 && code <= 0x2f) this.#state = "one-more";
    else this.#state = code === 0x1b ? "escape" : "text";
  }

  #control(character: string, code: number): string {
    if (code === 0x1b) this.#state = "escape";
    else if ((code >= 0x40 && code <= 0x7e) || code === 0x18 || code === 0x1a) this.#state = "text";
    else if (code === 0x0a || code === 0x0d || code === 0x09) return character;
    return "";
  }
}

/** Output bytes in, whole lines out. CR LF, LF and a CR by itself end a line; a CR by itself ends no empty one. */
export class LineSplitter {
  #decoder = new TextDecoder();
  #stripper = new AnsiStripper();
  #rest = "";

  push(bytes: Uint8Array): string[] {
    return this.#cut(this.#stripper.push(this.#decoder.decode(bytes, { stream: true })));
  }

  /** The output is over, or continues elsewhere: what is left is a line if there is any. */
  end(): string[] {
    const lines = this.#cut(this.#stripper.push(this.#decoder.decode()));
    const last = this.#rest.replace(/\r$/, "");
    this.#rest = "";
    this.#stripper = new AnsiStripper();
    if (last !== "") lines.push(last);
    return lines;
  }

  #cut(text: string): string[] {
    const lines: string[] = [];
    const all = this.#rest + text;
    let from = 0;
    for (let at = this.#rest.length; at < all.length; at++) {
      const code = all.charCodeAt(at);
      // A CR counts when the next character is known: CR LF is one end, not two.
      const previousIsCr = at > from && all.charCodeAt(at - 1) === 0x0d;
      if (code === 0x0a) {
        lines.push(all.slice(from, previousIsCr ? at - 1 : at));
        from = at + 1;
      } else if (previousIsCr) {
        if (at - 1 > from) lines.push(all.slice(from, at - 1));
        from = at;
      } else if (at - from >= longestLine) {
        lines.push(all.slice(from, at));
        from = at;
      }
    }
    this.#rest = all.slice(from);
    return lines;
  }
}

/** Text of a piece of output by itself; a CR counts as the start of another line, unless one starts there anyway. */
export function plainText(bytes: Uint8Array): string {
  const text = new AnsiStripper().push(new TextDecoder().decode(bytes));
  return text.replace(/\r*\n\r*/g, "\n").replace(/\r+/g, "\n");
}
