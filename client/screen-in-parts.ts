/**
 * A snapshot on its way: its pieces in order, until it is whole. Owns the checks of offsets and bounds, and the size markers that came
 * before its end and belong behind it. A screen that is not whole is never shown.
 */
import type { AgentMessageOf } from "../protocol/messages.js";
import type { Size } from "../protocol/values.js";

/** The agent leaves out scrollback to stay below; more is a fault. */
export const largestSnapshot = 16 * 1024 * 1024;

export type ScreenReason = "attach" | AgentMessageOf<"reset">["reason"];

export class ScreenInParts {
  /** The sequence it stands for: data continues here. */
  readonly at: number;
  readonly totalBytes: number;
  /** The agent no longer had the output before it. */
  readonly gap: boolean;
  readonly reason: ScreenReason;
  readonly chunks: Uint8Array[] = [];
  readonly markers: { at: number; size: Size }[] = [];
  #receivedBytes = 0;

  constructor(about: { at: number; totalBytes: number; gap: boolean; reason: ScreenReason }) {
    this.at = about.at;
    this.totalBytes = about.totalBytes;
    this.gap = about.gap;
    this.reason = about.reason;
  }

  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  get whole(): boolean {
    return this.#receivedBytes === this.totalBytes;
  }

  /** Takes a copy of what is new in the piece; false when one is missing before it or it does not fit. */
  add(offset: number, bytes: Uint8Array): boolean {
    const known = this.#receivedBytes - offset;
    if (known < 0 || offset + bytes.length > this.totalBytes) return false;
    if (known < bytes.length) {
      this.chunks.push(bytes.slice(known));
      this.#receivedBytes = offset + bytes.length;
    }
    return true;
  }
}
