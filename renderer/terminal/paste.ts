/**
 * What of a pasted text may reach a program, and when a person must look first. Owns the filter and the bracketing; shows nothing (the
 * paste guard does). The emulator's own paste is never used: it lets ESC through, so that a text can end its bracket and type by itself.
 */

/** A text that was made safe. */
export interface FilteredPaste {
  /** Safe to send: lines end in CR, no control character but TAB and CR, nothing hidden. */
  text: string;
  /** At least 1. A CR at the end ends its line, it does not begin another. */
  lines: number;
  /** Characters that were taken out because they show nothing or turn the text around, as `U+202E`. */
  hidden: string[];
  /** Control characters taken out. */
  controls: number;
}

/**
 * Bidi marks and overrides, zero-width characters, soft hyphens, tags: what is shown and what is sent would differ. Variation selectors
 * stay: they only choose how the character before them looks.
 */
const hiddenCharacters = /(?![\u{fe00}-\u{fe0f}\u{e0100}-\u{e01ef}])\p{Default_Ignorable_Code_Point}|[\u{fff9}-\u{fffb}]/gu;

/** Zero-width joiners are part of emoji; alone between letters they hide something. */
const emojiJoiner = /(?<=\p{Extended_Pictographic}\u{fe0f}?\p{Emoji_Modifier}?)\u{200d}(?=\p{Extended_Pictographic})/gu;

/** Every C0 but TAB and CR, DEL, and every C1. ESC is among them: it is what ends a bracket. */
const controlCharacters = /[\u{0}-\u{8}\u{a}-\u{c}\u{e}-\u{1f}\u{7f}-\u{9f}]/gu;

/** Stands for an emoji's joiner while the others are taken out; a private character, which the paste may hold too: it goes back as it was. */
const keptJoiner = "\u{f8ff}\u{1}";

export function filterPaste(raw: string): FilteredPaste {
  const joined = raw.replace(/\r\n|\n|\u{2028}|\u{2029}|\u{85}/gu, "\r");
  let controls = 0;
  const hidden: string[] = [];
  const text = joined
    .replace(controlCharacters, () => {
      controls += 1;
      return "";
    })
    .replace(emojiJoiner, keptJoiner)
    .replace(hiddenCharacters, (character) => {
      hidden.push(`U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`);
      return "";
    })
    .split(keptJoiner)
    .join("\u{200d}");
  return { text, lines: countLines(text), hidden, controls };
}

/** Whether a person should look first: several lines that would run one by one, or something that cannot be seen. */
export function needsLook(paste: FilteredPaste, bracketed: boolean): boolean {
  return paste.hidden.length > 0 || (!bracketed && paste.lines > 1);
}

/** All lines as one: line ends and the space around them become one space; nothing runs before Enter is pressed. */
export function asOneLine(text: string): string {
  return text
    .split("\r")
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .join(" ");
}

/** The characters to send. The bracket's end stands at the very end and nowhere else, because the filter took every ESC. */
export function bracket(text: string, bracketed: boolean): string {
  return bracketed ? `\u001b[200~${text}\u001b[201~` : text;
}

function countLines(text: string): number {
  const ends = text.split("\r").length - 1;
  return Math.max(1, text.endsWith("\r") ? ends : ends + 1);
}
