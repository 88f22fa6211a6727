/**
 * Bytes of keys by name. Owns the table and the two encodings of cursor keys: programs that set application mode expect `ESC O A`
 * instead of `ESC [ A`. What mode a program is in is asked from the agent (`screen`).
 */
import type { Modes } from "../protocol/values.js";

/** Keys as a program in normal mode gets them; plain strings for `sendInput`. */
export const keys = {
  up: "\x1b[A",
  down: "\x1b[B",
  right: "\x1b[C",
  left: "\x1b[D",
  home: "\x1b[H",
  end: "\x1b[F",
  pageUp: "\x1b[5~",
  pageDown: "\x1b[6~",
  insert: "\x1b[2~",
  delete: "\x1b[3~",
  tab: "\t",
  enter: "\r",
  escape: "\x1b",
  backspace: "\x7f",
  ctrlC: "\x03",
  ctrlD: "\x04",
  ctrlZ: "\x1a",
  /** Ctrl with a letter: `keys.ctrl("a")`. */
  ctrl: (letter: string): string => String.fromCharCode((letter.toUpperCase().charCodeAt(0) || 0) & 0x1f),
  /** Alt (Meta) with a character: ESC in front. */
  alt: (character: string): string => `\x1b${character}`,
} as const;

/** `cursor` keys change with application mode. */
const named: Record<string, { bytes: string; cursor?: boolean }> = {
  up: { bytes: keys.up, cursor: true },
  down: { bytes: keys.down, cursor: true },
  right: { bytes: keys.right, cursor: true },
  left: { bytes: keys.left, cursor: true },
  home: { bytes: keys.home, cursor: true },
  end: { bytes: keys.end, cursor: true },
  pageup: { bytes: keys.pageUp },
  pagedown: { bytes: keys.pageDown },
  insert: { bytes: keys.insert },
  delete: { bytes: keys.delete },
  tab: { bytes: keys.tab },
  enter: { bytes: keys.enter },
  escape: { bytes: keys.escape },
  backspace: { bytes: keys.backspace },
  f1: { bytes: "\x1bOP" },
  f2: { bytes: "\x1bOQ" },
  f3: { bytes: "\x1bOR" },
  f4: { bytes: "\x1bOS" },
  f5: { bytes: "\x1b[15~" },
  f6: { bytes: "\x1b[17~" },
  f7: { bytes: "\x1b[18~" },
  f8: { bytes: "\x1b[19~" },
  f9: { bytes: "\x1b[20~" },
  f10: { bytes: "\x1b[21~" },
  f11: { bytes: "\x1b[23~" },
  f12: { bytes: "\x1b[24~" },
};

/** The names `encodeKey` takes, for messages; C-a..C-z and M-x come on top. */
export const keyNames = "Up Down Left Right Home End PageUp PageDown Insert Tab Enter Escape Backspace Delete F1..F12 C-a..C-z M-x";

/** The bytes of a key for a program in these modes; null when there is no such key. Names are case-insensitive, M-x is not. */
export function encodeKey(name: string, modes: Pick<Modes, "applicationCursorKeys">): string | null {
  const control = /^C-([a-z])$/i.exec(name);
  if (control?.[1]) return keys.ctrl(control[1]);
  const meta = /^M-([\x20-\x7e])$/.exec(name);
  if (meta?.[1]) return keys.alt(meta[1]);
  const key = Object.hasOwn(named, name.toLowerCase()) ? named[name.toLowerCase()] : undefined;
  if (!key) return null;
  return key.cursor && modes.applicationCursorKeys ? key.bytes.replace("\x1b[", "\x1bO") : key.bytes;
}
