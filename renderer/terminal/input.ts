/**
 * What a person does at an emulator, as bytes for a program. Owns the two encodings of xterm's events. Sends nothing; what cannot be sent
 * now becomes a draft in the desk.
 */

const encoder = new TextEncoder();

/** xterm's `onData`: characters. A lone surrogate becomes U+FFFD. */
export function textBytes(data: string): Uint8Array {
  return encoder.encode(data);
}

/** xterm's `onBinary`: each character is one byte (old mouse reports). */
export function binaryBytes(data: string): Uint8Array {
  return Uint8Array.from(data, (character) => character.charCodeAt(0) & 0xff);
}

/** Pieces that fit in a byte frame, in order. */
export function pieces(bytes: Uint8Array, most: number): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += most) parts.push(bytes.subarray(at, Math.min(bytes.length, at + most)));
  return parts;
}
