/** Time that ticks in the picture: one number that changes each second while somebody looks, and a moment that comes once. */
import { useEffect, useState } from "react";

/** `performance.now()`, renewed each second while `on`. */
export function useNow(on: boolean): number {
  const [now, setNow] = useState(() => performance.now());
  useEffect(() => {
    if (!on) return;
    setNow(performance.now());
    const timer = setInterval(() => setNow(performance.now()), 1000);
    return () => clearInterval(timer);
  }, [on]);
  return now;
}

/** Whether `performance.now()` is past a moment; drawn again when it is. */
export function usePast(moment: number): boolean {
  const [, redraw] = useState(0);
  const left = moment - performance.now();
  useEffect(() => {
    if (left <= 0) return;
    const timer = setTimeout(() => redraw((count) => count + 1), left + 1);
    return () => clearTimeout(timer);
  }, [left]);
  return left <= 0;
}
