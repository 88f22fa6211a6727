/**
 * The real clock behind connections in Node: monotonic time and ordinary timers. Owns nothing else; tests bring their own clock.
 */
import { performance } from "node:perf_hooks";
import type { Clock } from "../transport/transport.js";

export const nodeClock: Clock = {
  now: () => performance.now(),
  after: (ms, then) => {
    const timer = setTimeout(then, ms);
    return () => clearTimeout(timer);
  },
};
