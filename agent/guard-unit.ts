/**
 * One unit of output: everything from the byte that left ground state to the one that returns there. It goes out as it came, in other
 * words, or not at all. Owns what is true of it so far and the control characters in the middle of it, which xterm executes at once.
 * Refuses to read bytes.
 */
import type { Costs } from "./guard-costs.js";
import type { GuardItems } from "./guard-items.js";
import { isLineFeed, type TextReader } from "./guard-text.js";

export class GuardUnit {
  /** Bytes of it that came, or stand for what came. */
  length = 0;
  /** As it came, it says to every reader what xterm takes from it. */
  private whole = true;
  /** Too long to be held as it came. */
  private forgotten = false;
  private controls: number[] = [];
  private controlCost = 0;
  private controlBells = 0;

  constructor(
    private readonly items: GuardItems,
    private readonly costs: Costs,
    private readonly text: TextReader,
  ) {}

  /** It may go out as it came. */
  get clean(): boolean {
    return this.whole && !this.forgotten;
  }

  /** Its bytes so far are held or in the chunk. */
  get isHeld(): boolean {
    return !this.forgotten;
  }

  /** The next unit: its first `length` bytes were read. */
  begin(length: number): void {
    this.length = length;
    this.whole = true;
    this.forgotten = false;
    this.forgetControls();
  }

  /** It holds bytes that other terminals, or xterm after an unlucky cut, may read otherwise. */
  soil(): void {
    this.whole = false;
  }

  /** A control character in the middle of a sequence. */
  execute(code: number): void {
    this.controls.push(code);
    if (isLineFeed(code)) {
      this.controlCost += this.costs.lineFeed;
      this.costs.fed();
    }
    if (code === 0x07) this.controlBells += 1;
    if (this.forgotten) this.releaseControls();
  }

  /** Goes out as it came. `prints`: xterm joins no mark after it to a character before it. */
  keep(end: number, cost: number, prints: boolean): void {
    if (prints || this.controls.length > 0) this.text.marks = 0;
    this.items.keep(end, cost + this.controlCost, this.controlBells);
    this.begin(0);
  }

  /** Goes out as this sequence; the controls stand behind its first `head` bytes. */
  replace(end: number, sequence: Uint8Array, head: number, cost: number): void {
    this.items.drop(end);
    this.text.marks = 0;
    const bytes =
      this.controls.length === 0 ? sequence : Uint8Array.of(...sequence.subarray(0, head), ...this.controls, ...sequence.subarray(head));
    this.items.insert(bytes, bytes.length + cost + this.controlCost, this.controlBells);
    this.begin(0);
  }

  /** Does not go out, except for its controls. */
  remove(end: number): void {
    this.items.drop(end);
    this.items.close();
    this.releaseControls();
    this.begin(0);
  }

  /** What came so far did nothing but its controls; the unit is now as if it had begun with these bytes. */
  restart(bytes: Uint8Array, end: number): void {
    this.items.drop(end);
    this.releaseControls();
    this.items.replaceHeld(bytes, end);
    this.begin(bytes.length);
  }

  /** It has become too long: from here on only its meaning is kept. */
  forget(end: number): void {
    this.items.drop(end);
    this.releaseControls();
    this.forgotten = true;
  }

  private releaseControls(): void {
    if (this.controls.length === 0) return;
    this.text.marks = 0;
    this.items.insert(Uint8Array.from(this.controls), this.controls.length + this.controlCost, this.controlBells);
    this.forgetControls();
  }

  private forgetControls(): void {
    if (this.controls.length > 0) this.controls = [];
    this.controlCost = 0;
    this.controlBells = 0;
  }
}
