/**
 * What a user typed into a pane whose link was down: text that waits and is never sent by itself. Owns what of the typed bytes is text
 * (letters, tabs, line ends; no arrows, no Ctrl keys: there is nothing to interrupt) and the bound. Knows no stream.
 */

/** Characters kept of one draft. More is not kept; nobody types that much into a dead link, and a paste is still on the clipboard. */
export const maxDraft = 1_048_576;

/** Drafts kept in all, of panes open or not: the oldest is forgotten first. */
const maxDrafts = 256;

/** One pane's draft. */
export class Draft {
  #text = "";
  #delivered: number | null = null;
  #decoder = new TextDecoder();

  get text(): string {
    return this.#text;
  }

  /** Bytes of the send that broke which did arrive; null when nothing of the draft was ever sent. */
  get delivered(): number | null {
    return this.#delivered;
  }

  /** Adds typed bytes. A character may be cut between two calls. Backspace takes back what was kept. */
  add(bytes: Uint8Array, delivered: number | null): void {
    if (delivered !== null) this.#delivered = (this.#delivered ?? 0) + delivered;
    this.#text = applyKeys(this.#text, this.#decoder.decode(bytes, { stream: true })).slice(0, maxDraft);
  }

  clear(): void {
    this.#text = "";
    this.#delivered = null;
    this.#decoder = new TextDecoder();
  }
}

/** The drafts of all panes by holder, so that a reloaded page finds its own again. */
export class Drafts {
  readonly #drafts = new Map<string, Draft>();

  of(holder: string): Draft {
    const known = this.#drafts.get(holder);
    if (known !== undefined) return known;
    const draft = new Draft();
    this.#drafts.set(holder, draft);
    const oldest = this.#drafts.keys().next();
    if (this.#drafts.size > maxDrafts && oldest.done !== true) this.#drafts.delete(oldest.value);
    return draft;
  }
}

/** A draft as the program gets it: line ends are what Enter sends. */
export function draftBytes(text: string): Uint8Array {
  return new TextEncoder().encode(text.replace(/\r\n|\n/g, "\r"));
}

/** ESC [ … final, ESC O x, ESC x: keys without text. The markers of a bracketed paste go the same way; what they enclose stays. */
const keySequences = /\x1b(?:\[[0-?]*[ -/]*[@-~]|O.|[^[O])?/gsu;

function applyKeys(text: string, typed: string): string {
  for (const character of typed.replace(keySequences, "")) {
    if (character === "\x7f") text = text.replace(/.$/su, "");
    else if (character === "\r" || character === "\n") text += "\n";
    else if (character === "\t" || !/\p{Cc}/u.test(character)) text += character;
  }
  return text;
}
