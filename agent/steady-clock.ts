/**
 * The agent's real clock: monotonic milliseconds and ordinary timers. Owns nothing; everything that waits gets a clock injected.
 */
import { performance } from "node:perf_hooks";
import type { Clock } from "../transport/transport.js";

/** A timer's longest wait in Node; a longer one would fire at once. */
const longestMs = 0x7fffffff;

export const steadyClock: Clock = {
  now: () => performance.now(),
  after: (ms, then) => {
    const timer = setTimeout(then, Math.min(ms, longestMs));
    return () => clearTimeout(timer);
  },
};
