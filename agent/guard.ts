/**
 * What stands between a pty and everything else: it reads the output as xterm 6.0.0 will (`guard-states.ts`), takes out what would be
 * answered (`guard-csi.ts`, `guard-strings.ts`), bounds counts, strings and piles of combining marks, and says what each part costs. Owns
 * the way through the states. Refuses to answer queries and to know the screen.
 *
 * What it promises, for any split of the input into chunks: the same bytes, the same queries at the same places, the same total cost.
 * Bytes that need no change go out as they came. ENQ stays too: xterm has no answer to it, and a stream without ESC and 0xC2 is to pass
 * unchanged. A sequence that came to nothing may go.
 */
import type { Size } from "../protocol/values.js";
import { Costs } from "./guard-costs.js";
import { ascii, judgeC1, judgeCsi, judgeEscape, sequenceId, type Verdict, writeBody } from "./guard-csi.js";
import { type GuardItem, GuardItems } from "./guard-items.js";
import { Parameters } from "./guard-parameters.js";
import { actions, CharacterReader, noCodePoint, nonAscii, states, stringTerminator, transitions } from "./guard-states.js";
import { judgeDcs, judgeOsc, judgePlainString, oscNumber, type StringVerdict } from "./guard-strings.js";
import { TextReader } from "./guard-text.js";
import { GuardUnit } from "./guard-unit.js";

export type { GuardItem } from "./guard-items.js";

/** Bytes of a string sequence; a longer one is taken out whole. */
const longestString = 64 * 1024;
/** The clipboard: 100 KB as base64, and some. */
const longestClipboard = 150 * 1024;
/** Bytes of a sequence that is held as it came. Of a longer one only what xterm makes of it is kept. */
const longestSequence = 1024;
/** xterm knows none with more than two prefixes and intermediates; more than this need not be kept to see that. */
const mostCollected = 4;

/** CSI sequences without prefix that are free of costs and bounds, by final byte; the second list while their parameters are short. */
const plainFinals = finals("msg");
const shortFinals = finals("CDG`a");

/** Bytes that may end a string, or begin a character that does. */
const stringStops: { readonly [state: number]: Uint8Array | undefined } = {
  [states.osc]: stops([0x07, 0x18, 0x1a, 0x1b, 0xc2]),
  [states.dcsPassthrough]: stops([0x18, 0x1a, 0x1b, 0xc2]),
  [states.dcsIgnore]: stops([0x18, 0x1a, 0x1b, 0xc2]),
  [states.string]: stops([0x18, 0x1a, 0x1b]).fill(1, 0x80),
};

export class OutputGuard {
  private readonly items = new GuardItems();
  private readonly costs: Costs;
  private readonly text: TextReader;
  private readonly unit: GuardUnit;
  private readonly characters = new CharacterReader();
  private readonly parameters = new Parameters();
  private collected: number[] = [];
  private state: number = states.ground;
  private received = 0;

  /** Where the payload of the string in hand begins in its unit. */
  private stringAt = 0;
  private stringLength = 0;
  private stringLimit = longestString;
  /** Final byte of a DCS header; `X`, `^` or `_` of the other strings. */
  private stringKind = 0;
  /** The byte before was 0xC2, in a string. */
  private halfC1 = false;
  /** A string did not go out, and the ESC that ended it began this unit: should it be ST, it goes too. */
  private orphan = false;

  constructor(size: Size) {
    this.costs = new Costs(size);
    this.text = new TextReader(this.items, this.costs);
    this.unit = new GuardUnit(this.items, this.costs, this.text);
  }

  /** Bytes of output that did not go out, what is held now not counted. */
  get guardedBytes(): number {
    return Math.max(0, this.received - this.items.emitted - this.items.heldLength);
  }

  /** Takes what the pty gave. Items may be views of `chunk`, which must not change any more. */
  push(chunk: Uint8Array): GuardItem[] {
    this.received += chunk.length;
    this.items.begin(chunk, this.state === states.ground);
    const end = this.items.chunk.length;
    let at = 0;
    while (at < end) {
      if (this.state !== states.ground) at = this.readSequence(at);
      else {
        at = this.text.read(at);
        if (at < end) at = this.leaveText(at);
      }
    }
    return this.items.finish(this.unit.isHeld);
  }

  /** The terminal has this size from here on. */
  resize(size: Size): GuardItem[] {
    this.costs.resize(size);
    return [{ kind: "size", size }];
  }

  /**
   * The output is over. The bytes of an unfinished character go out; an unfinished sequence, which did nothing, does not: an emulator ends
   * in ground state, and whatever is printed next somewhere cannot complete it.
   */
  end(): GuardItem[] {
    const text = this.state === states.ground;
    this.items.begin(new Uint8Array(0), text);
    const left = this.items.chunk.length;
    if (text) this.items.text(left, left * this.costs.character, 0);
    else this.remove(0);
    return this.items.finish(false);
  }

  /** At an ESC or a C1 control. Most of what follows ESC is a whole CSI sequence without surprises, which is read in one go. */
  private leaveText(from: number): number {
    const { items, parameters } = this;
    const { chunk } = items;
    if (chunk[from] !== 0x1b) {
      this.unit.begin(2);
      this.readC1(chunk[from + 1] ?? 0, from + 2);
      return from + 2;
    }
    if (chunk[from + 1] === 0x5b) {
      let at = from + 2;
      let byte = chunk[at] ?? 0;
      const prefix = byte >= 0x3c && byte <= 0x3f ? byte : 0;
      if (prefix > 0) at += 1;
      const parametersAt = at;
      for (byte = chunk[at] ?? 0; byte >= 0x30 && byte <= 0x3b; byte = chunk[at] ?? 0) at += 1;
      if (byte >= 0x40 && byte <= 0x7e && at - from < longestSequence) {
        at += 1;
        if (prefix === 0 && (plainFinals[byte] === 1 || (shortFinals[byte] === 1 && at - parametersAt <= 5))) {
          items.keep(at, 0, 0);
          this.text.marks = 0;
          return at;
        }
        parameters.reset();
        for (let n = parametersAt; n < at - 1; n += 1) parameters.take(chunk[n] ?? 0);
        this.collected = prefix > 0 ? [prefix] : [];
        this.unit.begin(at - from);
        this.dispatchCsi((prefix << 8) | byte, byte, at);
        return at;
      }
    }
    this.unit.begin(1);
    this.enter(states.escape);
    return from + 1;
  }

  /** Reads on in a sequence, until ground or the end of the chunk. */
  private readSequence(from: number): number {
    const { unit } = this;
    const { chunk } = this.items;
    let at = from;
    while (at < chunk.length && this.state !== states.ground) {
      const stop = stringStops[this.state];
      if (stop !== undefined) {
        at = this.readString(at, stop);
        continue;
      }
      if (unit.length >= longestSequence && unit.isHeld) unit.forget(at);
      const byte = chunk[at] ?? 0;
      at += 1;
      unit.length += 1;
      const code = this.characters.next(byte);
      if (byte >= 0x80) unit.soil();
      if (code === noCodePoint) continue;
      if (code >= 0x80 && code < nonAscii) this.readC1(code, at);
      else this.step(code, at);
    }
    return at;
  }

  /** One code point, no C1 control, outside of strings. */
  private step(code: number, end: number): void {
    const transition = transitions[(this.state << 8) | Math.min(code, nonAscii)] ?? 0;
    const next = transition & 15;
    switch (transition >> 4) {
      case actions.execute:
        if (next === states.ground) this.giveUp(end, true);
        else this.unit.execute(code);
        return;
      case actions.parameter:
        this.parameters.take(code);
        break;
      case actions.collect:
        if (this.collected.length < mostCollected) this.collected.push(code);
        break;
      case actions.clear:
      case actions.oscStart:
        this.begin(next, code, end);
        return;
      case actions.escDispatch:
        this.dispatchEscape(code, end);
        return;
      case actions.csiDispatch:
        this.dispatchCsi(sequenceId(this.collected, code), code, end);
        return;
      case actions.dcsHook:
        if (!this.unit.clean) this.unit.restart(ascii(`\x1bP${writeBody(this.collected, this.parameters, code)}`), end);
        this.beginString(code);
        break;
      default:
        if (next === states.string) {
          this.begin(next, code, end);
          return;
        }
        if (next === states.ground) {
          this.giveUp(end, false);
          return;
        }
        if (next === states.dcsIgnore) this.beginString(0);
    }
    this.state = next;
  }

  /** A C1 control, two bytes of UTF-8. In a sequence it ends what was begun, which then did nothing. */
  private readC1(code: number, end: number): void {
    const transition = transitions[(this.state << 8) | code] ?? 0;
    const executes = transition >> 4 === actions.execute;
    if (this.state !== states.ground) {
      if (code === stringTerminator) {
        if (stringStops[this.state] === undefined) this.remove(end);
        else this.endString(code, end);
        return;
      }
      this.unit.restart(executes ? Uint8Array.of(0xc2, code) : Uint8Array.of(0x1b, code - 0x40), end);
    }
    if (!executes) {
      this.begin(transition & 15, code - 0x40, end);
      return;
    }
    this.items.close();
    const verdict = judgeC1(code, this.costs);
    this.state = states.ground;
    if (verdict.kind === "keep") this.unit.keep(end, verdict.cost, true);
    else this.unit.remove(end);
  }

  /** An introducer was read: of it, the 7-bit form's last byte. What came of the unit before it was in vain. */
  private begin(next: number, introducer: number, end: number): void {
    const string = next !== states.escape && next !== states.csiEntry;
    if (string && !this.unit.clean) this.unit.restart(Uint8Array.of(0x1b, introducer), end);
    this.enter(next);
    if (next === states.osc || next === states.string) this.beginString(introducer);
  }

  private enter(next: number): void {
    this.state = next;
    this.parameters.reset();
    this.collected = [];
    this.characters.reset();
  }

  private beginString(kind: number): void {
    this.stringKind = kind;
    this.stringAt = this.unit.length;
    this.stringLength = 0;
    this.stringLimit = longestString;
    this.halfC1 = false;
    this.orphan = false;
  }

  /** Reads on in a string, until something ends it or the chunk. */
  private readString(from: number, stop: Uint8Array): number {
    const { chunk } = this.items;
    let at = from;
    while (at < chunk.length) {
      const begin = at;
      if (this.halfC1) {
        this.halfC1 = false;
        const byte = chunk[at] ?? 0;
        if (byte >= 0x80 && byte < nonAscii) {
          this.grow(1, at + 1);
          this.readC1(byte, at + 1);
          return at + 1;
        }
        if (this.state === states.string) {
          this.unit.soil();
          this.characters.next(0xc2);
        }
      }
      while (at < chunk.length && stop[chunk[at] ?? 0] === 0) at += 1;
      if (at > begin) this.characters.reset();
      if (at === chunk.length) {
        this.grow(at - begin, at);
        return at;
      }
      const byte = chunk[at] ?? 0;
      at += 1;
      this.grow(at - begin, at);
      if (byte < 0x80) {
        this.endString(byte, at);
        return at;
      }
      if (byte === 0xc2) {
        this.characters.reset();
        this.halfC1 = true;
        continue;
      }
      // xterm ends SOS, PM and APC at a character that is not ASCII, and prints what follows.
      this.unit.soil();
      const code = this.characters.next(byte);
      if (code === noCodePoint) continue;
      if (code < nonAscii) this.readC1(code, at);
      else this.remove(at);
      return at;
    }
    return at;
  }

  /** The string grew by `length` bytes, up to `end`. */
  private grow(length: number, end: number): void {
    this.unit.length += length;
    this.stringLength += length;
    if (this.stringLength <= this.stringLimit || !this.unit.isHeld) return;
    if (this.state === states.osc && this.stringLimit === longestString) {
      const head = this.items.undecided(end).subarray(this.stringAt, this.stringAt + longestString);
      if (oscNumber(head)?.number === 52) this.stringLimit = longestClipboard;
    }
    if (this.stringLength > this.stringLimit) this.unit.forget(end);
  }

  /** The string ended with this byte or C1 control. After ESC its unit is decided, and the next one begins with that ESC. */
  private endString(code: number, end: number): void {
    const { items, unit } = this;
    const byEscape = code === 0x1b;
    const unitEnd = byEscape ? end - 1 : end;
    const done = code !== 0x18 && code !== 0x1a && unit.clean;
    const verdict: StringVerdict = done ? this.judgeString(code, unitEnd) : { kind: "drop", queries: [] };
    if (verdict.kind === "keep") {
      unit.keep(unitEnd, verdict.cost, this.state === states.osc || this.state === states.dcsPassthrough);
      items.open = byEscape;
    } else {
      if (verdict.kind === "rewrite") unit.replace(unitEnd, ascii(`\x1b]${verdict.body}${code === 0x07 ? "\x07" : "\x1b\\"}`), 0, 0);
      else unit.remove(unitEnd);
      for (const query of verdict.queries) items.query(query);
    }
    this.state = states.ground;
    this.orphan = false;
    if (!byEscape) return;
    unit.begin(1);
    this.orphan = verdict.kind !== "keep";
    this.enter(states.escape);
  }

  private judgeString(code: number, unitEnd: number): StringVerdict {
    const terminator = code === 0x1b ? 0 : code === stringTerminator ? 2 : 1;
    const bytes = this.items.undecided(unitEnd);
    const payload = bytes.subarray(this.stringAt, bytes.length - terminator);
    if (this.state === states.osc) return judgeOsc(payload, this.costs);
    if (this.state === states.dcsPassthrough) return judgeDcs(this.collected, this.stringKind, payload);
    return this.state === states.string ? judgePlainString(this.stringKind, payload) : { kind: "keep", cost: 0 };
  }

  private dispatchCsi(id: number, final: number, end: number): void {
    const verdict = judgeCsi(id, this.parameters, this.costs, this.text.marks);
    this.settle(verdict, end, `\x1b[${this.mustWrite(verdict) ? writeBody(this.collected, this.parameters, final) : ""}`);
  }

  private dispatchEscape(final: number, end: number): void {
    const id = sequenceId(this.collected, final);
    const terminator = id === 0x5c && this.orphan;
    const verdict: Verdict = terminator ? { kind: "drop", query: null } : judgeEscape(id, this.costs);
    this.settle(verdict, end, `\x1b${this.mustWrite(verdict) ? String.fromCharCode(...this.collected, final) : ""}`);
  }

  private mustWrite(verdict: Verdict): boolean {
    return verdict.kind === "clamp" || !this.unit.clean;
  }

  /** The sequence in hand is complete; `text`: how it is written when it cannot go out as it came. */
  private settle(verdict: Verdict, end: number, text: string): void {
    this.state = states.ground;
    this.orphan = false;
    if (verdict.kind === "drop") {
      this.unit.remove(end);
      if (verdict.query !== null) this.items.query(verdict.query);
    } else if (this.mustWrite(verdict)) this.unit.replace(end, ascii(text), text[1] === "[" ? 2 : 1, verdict.cost);
    else this.unit.keep(end, verdict.cost, true);
  }

  /** The unit came to nothing: it goes out as it came, where that is as harmless for every reader. */
  private giveUp(end: number, prints: boolean): void {
    if (this.unit.clean) {
      this.state = states.ground;
      this.orphan = false;
      this.unit.keep(end, 0, prints);
    } else this.remove(end);
  }

  private remove(end: number): void {
    this.state = states.ground;
    this.orphan = false;
    this.unit.remove(end);
  }
}

function finals(characters: string): Uint8Array {
  const table = new Uint8Array(256);
  for (const character of characters) table[character.charCodeAt(0)] = 1;
  return table;
}

function stops(bytes: readonly number[]): Uint8Array {
  const table = new Uint8Array(256);
  for (const byte of bytes) table[byte] = 1;
  return table;
}
