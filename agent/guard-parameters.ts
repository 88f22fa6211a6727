/**
 * The parameters of one CSI or DCS sequence as xterm 6.0.0 keeps them: at most 32 and 32 sub-parameters in all, later ones ignored, values
 * up to 2^31 - 1. Owns that, and writing them again. Refuses to know what a parameter means.
 */

const most = 32;
const mostSubs = 32;
const largest = 0x7fffffff;

export class Parameters {
  /** Parameters there are, at least 1: an empty one is 0. */
  length = 1;
  private readonly values = new Int32Array(most);
  private readonly subs: { of: number; value: number }[] = [];
  private full = false;
  private subsFull = false;
  private inSub = false;

  /** The first parameter; 0 where it was left out. */
  get first(): number {
    return this.values[0] ?? 0;
  }

  /** Parameter `index`, 0 where it was left out. */
  at(index: number): number {
    return index < this.length ? (this.values[index] ?? 0) : 0;
  }

  /** Whether one of them is `value`. */
  includes(value: number): boolean {
    for (let index = 0; index < this.length; index += 1) if (this.values[index] === value) return true;
    return false;
  }

  /** Cuts parameter `index` down to `limit`; whether it was larger. */
  clamp(index: number, limit: number): boolean {
    if (this.at(index) <= limit) return false;
    this.values[index] = limit;
    return true;
  }

  reset(): void {
    this.length = 1;
    this.values[0] = 0;
    if (this.subs.length > 0) this.subs.length = 0;
    this.full = false;
    this.subsFull = false;
    this.inSub = false;
  }

  /** Takes one byte of 0-9, `;` and `:`. */
  take(byte: number): void {
    if (byte === 0x3b) this.begin();
    else if (byte === 0x3a) this.beginSub();
    else this.digit(byte - 0x30);
  }

  /** The same parameters, written in the shortest way. */
  toString(): string {
    let text = "";
    let sub = 0;
    for (let index = 0; index < this.length; index += 1) {
      if (index > 0) text += ";";
      const value = this.at(index);
      if (value > 0) text += value;
      for (let entry = this.subs[sub]; entry !== undefined && entry.of === index; entry = this.subs[sub]) {
        text += entry.value < 0 ? ":" : `:${entry.value}`;
        sub += 1;
      }
    }
    return text;
  }

  private begin(): void {
    this.inSub = false;
    if (this.length >= most) {
      this.full = true;
      return;
    }
    this.values[this.length] = 0;
    this.length += 1;
  }

  private beginSub(): void {
    this.inSub = true;
    if (this.full || this.subs.length >= mostSubs) this.subsFull = true;
    else this.subs.push({ of: this.length - 1, value: -1 });
  }

  private digit(value: number): void {
    if (this.full || (this.inSub && this.subsFull)) return;
    if (!this.inSub) {
      const index = this.length - 1;
      this.values[index] = Math.min(this.at(index) * 10 + value, largest);
      return;
    }
    const sub = this.subs[this.subs.length - 1];
    if (sub !== undefined) sub.value = sub.value < 0 ? value : Math.min(sub.value * 10 + value, largest);
  }
}
