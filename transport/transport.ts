/**
 * What every medium offers the layers above: whole frames, in order, both ways, until it closes. Owns nothing but the interface. A
 * transport never looks into a frame and never reconnects; those are the connection's jobs.
 */

/** Why a transport is gone. `text` is for people; `clean` means that the peer said goodbye. */
export interface TransportClosed {
  clean: boolean;
  text: string;
}

export interface TransportEvents {
  /** One whole frame. The bytes may be a view that is only valid during the call; copy to keep. */
  frame(frame: Uint8Array): void;
  /** `queued` fell below the level at which senders should go on. */
  drain(): void;
  /** Once, last: nothing comes after it, also when this side closed. */
  closed(reason: TransportClosed): void;
}

export interface Transport {
  /** Sets who is told; before that, frames wait. Called once. */
  listen(events: TransportEvents): void;
  /** Takes the frame (it may be kept until sent; do not write into it afterwards). After close it is dropped. */
  send(frame: Uint8Array): void;
  /** Bytes taken but not yet handed to the medium. Senders stop at `highWater` and wait for `drain`. */
  readonly queued: number;
  /** Says goodbye after what is queued. */
  close(): void;
  /** Drops everything at once: for a peer that does not answer. */
  terminate(): void;
}

/** Bytes queued at which a sender waits for `drain`. Small, so that control and echoes overtake floods above the medium, not in it. */
export const highWater = 256 * 1024;

/** Milliseconds on a clock that never jumps, and timers; injected, so that tests own the time. */
export interface Clock {
  now(): number;
  /** Calls back once after `ms`; returns how to cancel. */
  after(ms: number, then: () => void): () => void;
}
