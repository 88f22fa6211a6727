/**
 * Takes the detach keys out of what is typed: the detach key and then `d` leaves, the detach key twice sends it once, and before any other
 * key it goes through with it. Owns only that; a detach key at the end of what was read is held until the next key.
 */
import { fail, ok, type Result } from "../protocol/errors.js";
import { printable } from "./printable.js";

export const defaultDetachKey = 0x1d;

export interface Typed {
  /** For the session. */
  bytes: Uint8Array;
  detach: boolean;
}

export class DetachKeys {
  readonly #key: number;
  readonly #encoded: RegExp;
  #held = false;

  /** `key`: a control character. */
  constructor(key: number) {
    this.#key = key;
    // How terminals tell Ctrl with a character once a program has asked for one of the newer keyboard protocols.
    const code = key === 0x1f ? "(?:45|95)" : String((key | 0x40) >= 0x5b ? key | 0x40 : key | 0x60);
    this.#encoded = new RegExp(`\\x1b\\[(?:${code};5(?::[12])?u|27;5;${code}~)`, "g");
  }

  typed(chunk: Uint8Array): Typed {
    const text = Buffer.from(chunk).toString("latin1");
    const plain = text.includes("\x1b[") ? Buffer.from(text.replace(this.#encoded, String.fromCharCode(this.#key)), "latin1") : chunk;
    const bytes: number[] = [];
    for (const byte of plain) {
      if (!this.#held) {
        if (byte === this.#key) this.#held = true;
        else bytes.push(byte);
        continue;
      }
      this.#held = false;
      if (byte === 0x64) return { bytes: Uint8Array.from(bytes), detach: true };
      bytes.push(this.#key);
      if (byte !== this.#key) bytes.push(byte);
    }
    return { bytes: Uint8Array.from(bytes), detach: false };
  }
}

/** `C-]`, `^]` or `Ctrl+]`: Ctrl with a letter or one of [ \ ] ^ _ @. */
export function readDetachKey(text: string): Result<number> {
  const character = /^(?:C-|\^|Ctrl\+)([a-z@[\\\]^_])$/i.exec(text)?.[1];
  if (character !== undefined) return ok(character.toUpperCase().charCodeAt(0) & 0x1f);
  return fail("invalid", `"${printable(text)}" cannot be the detach key. Give Ctrl with a letter, as in C-a.`);
}
