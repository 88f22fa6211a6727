/**
 * A key event as a name: `Ctrl+Shift+T`, `Shift+X`. Owns what counts as the same key on different keyboards (letters by what they write,
 * by their place where the layout writes no Latin ones) and that AltGr, composition and dead keys are never a chord of ours.
 */

/** The part of a KeyboardEvent that matters. */
export interface KeyPress {
  key: string;
  code: string;
  ctrlKey: boolean;
  shiftKey: boolean;
  altKey: boolean;
  metaKey: boolean;
  isComposing: boolean;
  getModifierState(key: "AltGraph"): boolean;
}

const modifiers = new Set(["Control", "Shift", "Alt", "Meta", "AltGraph", "CapsLock", "NumLock", "ScrollLock", "Fn", "Hyper", "Super"]);

export function isModifier(press: KeyPress): boolean {
  return modifiers.has(press.key);
}

/** The name of a chord that may be ours: one with Ctrl or Meta. Null: the key belongs to whoever has the focus. */
export function chordOf(press: KeyPress): string | null {
  if (!usable(press) || (!press.ctrlKey && !press.metaKey)) return null;
  const key = keyName(press);
  return `${press.ctrlKey ? "Ctrl+" : ""}${press.metaKey ? "Meta+" : ""}${press.altKey ? "Alt+" : ""}${press.shiftKey ? "Shift+" : ""}${key}`;
}

/** The name of the key after the leader: signs as they are written, letters small or as `Shift+X`. Null: none of our business. */
export function leaderKeyOf(press: KeyPress): string | null {
  if (!usable(press) || press.ctrlKey || press.metaKey || press.altKey) return null;
  const letter = letterOf(press);
  if (letter !== null) return press.shiftKey ? `Shift+${letter}` : letter.toLowerCase();
  // A sign is what it writes, however many keys that takes; named keys say whether Shift was there.
  return press.key.length === 1 ? press.key : `${press.shiftKey ? "Shift+" : ""}${press.key}`;
}

function usable(press: KeyPress): boolean {
  if (press.isComposing || isModifier(press) || press.key === "Dead" || press.key === "Process" || press.key === "Unidentified")
    return false;
  // AltGr comes as Ctrl+Alt on Windows; what it writes is text.
  return !press.getModifierState("AltGraph") && !(press.ctrlKey && press.altKey && press.key.length === 1);
}

function keyName(press: KeyPress): string {
  const letter = letterOf(press);
  if (letter !== null) return letter;
  if (press.key === " ") return "Space";
  const digit = /^Digit(\d)$/.exec(press.code)?.[1];
  // Digits by place: with Shift, or on a French keyboard, the key writes something else.
  if (digit !== undefined && !press.shiftKey && press.key.length === 1 && !"=+-".includes(press.key)) return digit;
  return press.key.length === 1 ? press.key.toUpperCase() : press.key;
}

function letterOf(press: KeyPress): string | null {
  if (/^[a-z]$/i.test(press.key)) return press.key.toUpperCase();
  const place = /^Key([A-Z])$/.exec(press.code)?.[1];
  return place !== undefined && press.key.length === 1 && /\p{L}/u.test(press.key) && !/\p{Script=Latin}/u.test(press.key) ? place : null;
}
