/**
 * Where output may be cut before it goes into an emulator. xterm 6.0.0 decodes a character wrongly when it arrives in two writes and its
 * second byte is 0x80 (every quotation mark, dash and ellipsis of U+2000 to U+203F): the character is lost, and the next byte with it.
 * So nobody writes a part of a character. Owns that rule; knows no sequences.
 */

/**
 * Bytes of `bytes` up to which every character is whole: its length less an unfinished character at the end (0 to 3 bytes). What is left
 * goes in front of the next bytes.
 */
export function wholeCharacters(bytes: Uint8Array): number {
  const length = bytes.length;
  for (let back = 1; back <= 3 && back <= length; back += 1) {
    const byte = bytes[length - back] ?? 0;
    if (byte < 0x80) return length;
    if (byte >= 0xc0) return back < characterLength(byte) ? length - back : length;
  }
  return length;
}

function characterLength(first: number): number {
  if (first >= 0xf8) return 1;
  if (first >= 0xf0) return 4;
  return first >= 0xe0 ? 3 : 2;
}
