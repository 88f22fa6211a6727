/**
 * How xterm 6.0.0 reads output: its UTF-8 decoding and its table of parser states, rebuilt from their rules. Owns what a byte means in
 * which state; `guard.test.ts` compares it entry by entry with the real ones. Refuses to judge sequences.
 */

/** Parser states, with xterm's numbers. `string` is SOS, PM and APC, which xterm reads and forgets. */
export const states = {
  ground: 0,
  escape: 1,
  escapeIntermediate: 2,
  csiEntry: 3,
  csiParameter: 4,
  csiIntermediate: 5,
  csiIgnore: 6,
  string: 7,
  osc: 8,
  dcsEntry: 9,
  dcsParameter: 10,
  dcsIgnore: 11,
  dcsIntermediate: 12,
  dcsPassthrough: 13,
} as const;

/** What xterm does at a transition, with its numbers. */
export const actions = {
  ignore: 0,
  error: 1,
  print: 2,
  execute: 3,
  oscStart: 4,
  oscPut: 5,
  oscEnd: 6,
  csiDispatch: 7,
  parameter: 8,
  collect: 9,
  escDispatch: 10,
  clear: 11,
  dcsHook: 12,
  dcsPut: 13,
  dcsUnhook: 14,
} as const;

/** Every code point from here on counts as this one. */
export const nonAscii = 0xa0;

/** ST as a C1 control: it ends strings, and xterm ignores it anywhere else. */
export const stringTerminator = 0x9c;

/** Action << 4 | next state, by state << 8 | code. */
export const transitions: Uint8Array = buildTransitions();

function buildTransitions(): Uint8Array {
  const s = states;
  const a = actions;
  const table = new Uint8Array(14 << 8).fill((a.error << 4) | s.ground);
  const rule = (state: number, from: number, to: number, action: number, next: number) => {
    table.fill((action << 4) | next, (state << 8) | from, ((state << 8) | to) + 1);
  };
  /** All of C0 but CAN, SUB and ESC. */
  const controls = (state: number, action: number) => {
    rule(state, 0x00, 0x17, action, state);
    rule(state, 0x19, 0x19, action, state);
    rule(state, 0x1c, 0x1f, action, state);
  };

  for (let state = 0; state < 14; state += 1) {
    rule(state, 0x80, 0x9a, a.execute, s.ground);
    rule(state, 0x18, 0x18, a.execute, s.ground);
    rule(state, 0x1a, 0x1a, a.execute, s.ground);
    rule(state, 0x1b, 0x1b, a.clear, s.escape);
    rule(state, 0x90, 0x90, a.clear, s.dcsEntry);
    rule(state, 0x9b, 0x9b, a.clear, s.csiEntry);
    rule(state, 0x9c, 0x9c, a.ignore, s.ground);
    rule(state, 0x9d, 0x9d, a.oscStart, s.osc);
    rule(state, 0x98, 0x98, a.ignore, s.string);
    rule(state, 0x9e, 0x9f, a.ignore, s.string);
  }

  rule(s.ground, 0x20, 0x7e, a.print, s.ground);
  rule(s.ground, nonAscii, nonAscii, a.print, s.ground);
  for (const state of [s.ground, s.escape, s.escapeIntermediate, s.csiEntry, s.csiParameter, s.csiIntermediate, s.csiIgnore]) {
    controls(state, a.execute);
  }
  for (const state of [s.string, s.osc, s.dcsEntry, s.dcsParameter, s.dcsIgnore, s.dcsIntermediate]) controls(state, a.ignore);
  controls(s.dcsPassthrough, a.dcsPut);
  /** DEL is ignored inside of sequences; in ground it is an error, which changes nothing. */
  for (const state of [
    s.escape,
    s.escapeIntermediate,
    s.csiEntry,
    s.csiParameter,
    s.csiIntermediate,
    s.csiIgnore,
    s.string,
    s.dcsEntry,
    s.dcsParameter,
    s.dcsIgnore,
    s.dcsIntermediate,
    s.dcsPassthrough,
  ]) {
    rule(state, 0x7f, 0x7f, a.ignore, state);
  }

  rule(s.escape, 0x20, 0x2f, a.collect, s.escapeIntermediate);
  rule(s.escape, 0x30, 0x7e, a.escDispatch, s.ground);
  rule(s.escape, 0x50, 0x50, a.clear, s.dcsEntry);
  rule(s.escape, 0x58, 0x58, a.ignore, s.string);
  rule(s.escape, 0x5b, 0x5b, a.clear, s.csiEntry);
  rule(s.escape, 0x5d, 0x5d, a.oscStart, s.osc);
  rule(s.escape, 0x5e, 0x5f, a.ignore, s.string);
  rule(s.escapeIntermediate, 0x20, 0x2f, a.collect, s.escapeIntermediate);
  rule(s.escapeIntermediate, 0x30, 0x7e, a.escDispatch, s.ground);

  for (const state of [s.csiEntry, s.csiParameter]) {
    rule(state, 0x20, 0x2f, a.collect, s.csiIntermediate);
    rule(state, 0x30, 0x3b, a.parameter, s.csiParameter);
    rule(state, 0x40, 0x7e, a.csiDispatch, s.ground);
  }
  rule(s.csiEntry, 0x3c, 0x3f, a.collect, s.csiParameter);
  rule(s.csiParameter, 0x3c, 0x3f, a.ignore, s.csiIgnore);
  rule(s.csiIntermediate, 0x20, 0x2f, a.collect, s.csiIntermediate);
  rule(s.csiIntermediate, 0x30, 0x3f, a.ignore, s.csiIgnore);
  rule(s.csiIntermediate, 0x40, 0x7e, a.csiDispatch, s.ground);
  rule(s.csiIgnore, 0x20, 0x3f, a.ignore, s.csiIgnore);
  rule(s.csiIgnore, 0x40, 0x7e, a.ignore, s.ground);
  rule(s.csiIgnore, nonAscii, nonAscii, a.ignore, s.csiIgnore);

  rule(s.string, 0x20, 0x7e, a.ignore, s.string);

  rule(s.osc, 0x20, 0x7f, a.oscPut, s.osc);
  rule(s.osc, nonAscii, nonAscii, a.oscPut, s.osc);
  for (const end of [0x07, 0x18, 0x1a, 0x1b, 0x9c]) rule(s.osc, end, end, a.oscEnd, s.ground);

  for (const state of [s.dcsEntry, s.dcsParameter]) {
    rule(state, 0x20, 0x2f, a.collect, s.dcsIntermediate);
    rule(state, 0x30, 0x3b, a.parameter, s.dcsParameter);
    rule(state, 0x40, 0x7e, a.dcsHook, s.dcsPassthrough);
  }
  rule(s.dcsEntry, 0x3c, 0x3f, a.collect, s.dcsParameter);
  rule(s.dcsParameter, 0x3c, 0x3f, a.ignore, s.dcsIgnore);
  rule(s.dcsIntermediate, 0x20, 0x2f, a.collect, s.dcsIntermediate);
  rule(s.dcsIntermediate, 0x30, 0x3f, a.ignore, s.dcsIgnore);
  rule(s.dcsIntermediate, 0x40, 0x7e, a.dcsHook, s.dcsPassthrough);
  rule(s.dcsIgnore, 0x20, 0x7f, a.ignore, s.dcsIgnore);
  rule(s.dcsIgnore, nonAscii, nonAscii, a.ignore, s.dcsIgnore);
  rule(s.dcsPassthrough, 0x20, 0x7e, a.dcsPut, s.dcsPassthrough);
  rule(s.dcsPassthrough, nonAscii, nonAscii, a.dcsPut, s.dcsPassthrough);
  for (const end of [0x18, 0x1a, 0x1b, 0x9c]) rule(s.dcsPassthrough, end, end, a.dcsUnhook, s.ground);
  return table;
}

/** No code point: a byte in the middle of a character, or one xterm skips. Larger than any code point, so that it packs with a length. */
export const noCodePoint = 0x1fffff;

/**
 * The character that begins at `at`, which is not ASCII: code point << 3 | bytes, or 0 where the bytes end before it does. What xterm skips
 * (bad bytes, overlong forms, surrogates, a byte order mark) is `noCodePoint` with the number of bytes that are skipped for it.
 */
export function readCharacter(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0;
  const length = characterLength(first);
  if (length === 1) return (noCodePoint << 3) | 1;
  let value = first & (0xff >> (length + 1));
  for (let n = 1; n < length; n += 1) {
    const next = bytes[at + n];
    if (next === undefined) return 0;
    if ((next & 0xc0) !== 0x80) return (noCodePoint << 3) | n;
    value = (value << 6) | (next & 0x3f);
  }
  return ((isCharacter(value, length) ? value : noCodePoint) << 3) | length;
}

/** The same decoding, byte by byte, for the inside of sequences. */
export class CharacterReader {
  private value = 0;
  private length = 0;
  private missing = 0;

  /** The code point this byte completes, or `noCodePoint`. */
  next(byte: number): number {
    if (this.missing > 0 && (byte & 0xc0) === 0x80) {
      this.value = (this.value << 6) | (byte & 0x3f);
      this.missing -= 1;
      return this.missing === 0 && isCharacter(this.value, this.length) ? this.value : noCodePoint;
    }
    this.missing = 0;
    if (byte < 0x80) return byte;
    this.length = characterLength(byte);
    this.missing = this.length - 1;
    this.value = byte & (0xff >> (this.length + 1));
    return noCodePoint;
  }

  /** Forgets a character that was begun. */
  reset(): void {
    this.missing = 0;
  }
}

function characterLength(first: number): number {
  if (first < 0xc0 || first >= 0xf8) return 1;
  if (first < 0xe0) return 2;
  return first < 0xf0 ? 3 : 4;
}

function isCharacter(value: number, length: number): boolean {
  if (length === 2) return value >= 0x80;
  if (length === 3) return value >= 0x800 && (value < 0xd800 || value > 0xdfff) && value !== 0xfeff;
  return value >= 0x10000 && value <= 0x10ffff;
}
