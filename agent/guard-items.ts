/**
 * The output as it leaves the guard: cut into items within their limits, views of the chunk where nothing was changed, and the held tail
 * that is not decided yet. Owns bytes and limits. Refuses to decide what goes out.
 *
 * In a chunk, [start, decided) is the item being filled, and what follows `decided` is undecided. What earlier chunks left undecided is held.
 */
import type { Size } from "../protocol/values.js";
import { mostCells } from "./guard-costs.js";

export type GuardItem =
  /** Guarded output. `cost`: cells an emulator touches; `bells`: times it rings. */
  | { kind: "bytes"; bytes: Uint8Array; cost: number; bells: number }
  /** A query that stood here, in clean 7-bit form. */
  | { kind: "query"; bytes: Uint8Array }
  /** From here on the terminal has this size. */
  | { kind: "size"; size: Size };

/** Bytes of one item: one write to an emulator. */
const mostBytes = 64 * 1024;

const nothing = new Uint8Array(0);
const stringTerminator = Uint8Array.of(0x1b, 0x5c);
/** What the held tail usually fits in; a larger buffer is given back. */
const usualHeld = 256;

export class GuardItems {
  /** The chunk in hand. */
  chunk: Uint8Array = nothing;
  /** Bytes held from earlier chunks. */
  heldLength = 0;
  /** Bytes that went out so far. */
  emitted = 0;
  /**
   * The output ends inside a string whose terminator is the ESC that the next sequence begins with. Should that sequence not go out,
   * the string is ended first.
   */
  open = false;
  private items: GuardItem[] = [];
  private start = 0;
  private decided = 0;
  private cost = 0;
  private bells = 0;
  private held = new Uint8Array(usualHeld);

  /** Takes a chunk; with `join` what is held goes in front of it, otherwise that stays held. */
  begin(chunk: Uint8Array, join: boolean): void {
    this.chunk = join && this.heldLength > 0 ? concatenate(this.held.subarray(0, this.heldLength), chunk) : chunk;
    if (join) this.heldLength = 0;
    this.start = 0;
    this.decided = 0;
  }

  /** Ends the chunk: the items so far. What is undecided is held, or, with `hold` false, forgotten. */
  finish(hold: boolean): GuardItem[] {
    this.flush();
    if (hold) this.hold(this.chunk.subarray(this.decided));
    this.chunk = nothing;
    this.start = 0;
    this.decided = 0;
    const items = this.items;
    this.items = [];
    return items;
  }

  /** Cells the item being filled may still cost. */
  get cellsLeft(): number {
    return mostCells - this.cost;
  }

  /** Bytes it has room for behind `at`. */
  bytesLeft(at: number): number {
    return mostBytes - (at - this.start);
  }

  /** Text up to `end` goes out. It fits. */
  text(end: number, cost: number, bells: number): void {
    this.decided = end;
    this.cost += cost;
    this.bells += bells;
  }

  /** Ends the item being filled. */
  flush(): void {
    if (this.decided === this.start) return;
    this.push(this.chunk.subarray(this.start, this.decided), this.cost, this.bells);
    this.start = this.decided;
    this.cost = 0;
    this.bells = 0;
  }

  /** What is held and undecided up to `end` goes out as it stands; `extra`: its cost above one a byte. */
  keep(end: number, extra: number, bells: number): void {
    const length = end - this.decided;
    this.open = false;
    if (this.heldLength > 0 || length > mostBytes) {
      const bytes = this.undecided(end);
      this.heldLength = 0;
      this.skip(end);
      this.insert(bytes, bytes.length + extra, bells);
      return;
    }
    if (end - this.start > mostBytes || this.cost + length + extra > mostCells) this.flush();
    this.decided = end;
    this.cost += length + extra;
    this.bells += bells;
  }

  /** What is held and undecided up to `end` does not go out. */
  drop(end: number): void {
    this.heldLength = 0;
    this.skip(end);
  }

  /** These bytes go out here. They are kept, not copied. */
  insert(bytes: Uint8Array, cost: number, bells: number): void {
    this.flush();
    if (this.open && bytes[0] !== 0x1b) this.close();
    this.open = false;
    let left = cost;
    for (let at = 0; at < bytes.length; at += mostBytes) {
      const piece = bytes.subarray(at, at + mostBytes);
      const last = at + mostBytes >= bytes.length;
      this.push(piece, last ? left : piece.length, last ? bells : 0);
      left -= piece.length;
    }
  }

  /** These bytes take the place of what was held so far. Nothing up to `end` is undecided. */
  replaceHeld(bytes: Uint8Array, end: number): void {
    this.drop(end);
    this.hold(bytes);
  }

  query(bytes: Uint8Array): void {
    this.flush();
    this.items.push({ kind: "query", bytes });
  }

  /** Ends a string whose ESC does not go out. */
  close(): void {
    if (!this.open) return;
    this.open = false;
    this.flush();
    this.push(stringTerminator, stringTerminator.length, 0);
  }

  /** What is held and undecided up to `end`; valid until the next call. */
  undecided(end: number): Uint8Array {
    const part = this.chunk.subarray(this.decided, end);
    return this.heldLength === 0 ? part : concatenate(this.held.subarray(0, this.heldLength), part);
  }

  private skip(end: number): void {
    this.flush();
    this.start = end;
    this.decided = end;
  }

  private push(bytes: Uint8Array, cost: number, bells: number): void {
    this.emitted += bytes.length;
    this.items.push({ kind: "bytes", bytes, cost, bells });
  }

  private hold(bytes: Uint8Array): void {
    const length = this.heldLength + bytes.length;
    if (length > this.held.length) {
      const larger = new Uint8Array(Math.max(length, this.held.length * 2));
      larger.set(this.held.subarray(0, this.heldLength));
      this.held = larger;
    } else if (length <= usualHeld && this.held.length > usualHeld) {
      this.held = this.held.slice(0, usualHeld);
    }
    this.held.set(bytes, this.heldLength);
    this.heldLength = length;
  }
}

function concatenate(first: Uint8Array, second: Uint8Array): Uint8Array {
  const whole = new Uint8Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}
