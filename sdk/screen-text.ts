/**
 * What a snapshot shows, as text, for patterns that wait for a prompt already on the screen. Owns just enough of a terminal to place what
 * snapshots are made of; exact screens come from the agent (`muxdeck screen`).
 */
import type { Size } from "../protocol/values.js";

/** Control sequences, strings, other escapes, single controls, and characters. */
const tokens =
  /\x1b\[([?>!]?)([\d;]*)[ -/]*([@-~])|\x1b[\]PX^_][\s\S]*?(?:\x1b\\|\x07)|\x1b[ -/]+[0-~]|\x1b[0-~]|[\r\n\b]|[^\x00-\x1f\x7f-\x9f]/gu;

/** Rows of text up to the last that shows anything or holds the cursor; blanks before the cursor count. */
export function screenText(snapshot: Uint8Array, size: Size): string {
  const grid = new Grid(size);
  for (const [token, mark, parameters = "", final] of new TextDecoder().decode(snapshot).matchAll(tokens)) {
    if (final !== undefined) grid.control(mark ?? "", parameters, final);
    else if (token === "\x1bc") grid.clear();
    else if (token === "\r") grid.x = 0;
    else if (token === "\n") grid.down();
    else if (token === "\b") grid.x = Math.max(0, grid.x - 1);
    else if (!token.startsWith("\x1b")) grid.print(token);
  }
  return grid.text();
}

class Grid {
  x = 0;
  y = 0;
  readonly #size: Size;
  #rows: string[][] = [];

  constructor(size: Size) {
    this.#size = size;
    this.clear();
  }

  clear(): void {
    this.#rows = Array.from({ length: this.#size.rows }, () => []);
    this.x = 0;
    this.y = 0;
  }

  down(): void {
    if (this.y < this.#size.rows - 1) {
      this.y++;
      return;
    }
    this.#rows.shift();
    this.#rows.push([]);
  }

  print(character: string): void {
    if (this.x >= this.#size.cols) {
      this.x = 0;
      this.down();
    }
    const row = this.#rows[this.y] ?? [];
    while (row.length < this.x) row.push(" ");
    row[this.x++] = character;
  }

  control(mark: string, parameters: string, final: string): void {
    const [first = 0, second = 0] = parameters.split(";").map(Number);
    const count = Math.max(1, first);
    if (mark === "?" && final === "h" && (first === 47 || first === 1047 || first === 1049)) this.clear();
    if (mark !== "") return;
    if (final === "H" || final === "f") this.#move(Math.max(1, second) - 1, count - 1);
    else if (final === "A") this.#move(this.x, this.y - count);
    else if (final === "B") this.#move(this.x, this.y + count);
    else if (final === "C") this.#move(this.x + count, this.y);
    else if (final === "D") this.#move(this.x - count, this.y);
    else if (final === "G") this.#move(count - 1, this.y);
    else if (final === "d") this.#move(this.x, count - 1);
    else if (final === "J" && first >= 2) this.#rows = this.#rows.map(() => []);
  }

  text(): string {
    const lines = this.#rows.map((row, y) => {
      const text = row.join("").trimEnd();
      return y === this.y ? text.padEnd(Math.min(this.x, this.#size.cols)) : text;
    });
    while (lines.length > this.y + 1 && lines[lines.length - 1] === "") lines.pop();
    return lines.join("\n");
  }

  #move(x: number, y: number): void {
    this.x = Math.min(Math.max(0, x), this.#size.cols - 1);
    this.y = Math.min(Math.max(0, y), this.#size.rows - 1);
  }
}
