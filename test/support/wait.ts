/**
 * Waiting in tests: for a condition, for an event, never for time. Owns the bounds and the sentence that says what did not happen. A bound
 * is generous on purpose: it only decides when a test that has already failed says so.
 */
import { setTimeout as pause } from "node:timers/promises";

/** Milliseconds after which a wait gives up, unless the caller says otherwise. */
export const patience = 20_000;

/** Milliseconds between two looks at a condition nobody announces. */
const lookEvery = 20;

/** Looks until `probe` gives something other than null, undefined or false; returns that. */
export async function until<T>(
  what: string,
  probe: () => T | Promise<T>,
  within: number = patience,
): Promise<NonNullable<Exclude<T, false>>> {
  const end = performance.now() + within;
  for (;;) {
    const value = await probe();
    if (value !== null && value !== undefined && value !== false) return value as NonNullable<Exclude<T, false>>;
    if (performance.now() > end) throw new Error(`waited ${within} ms in vain for ${what}`);
    await pause(lookEvery);
  }
}

/** The promise's value, or an error that says what was waited for. */
export async function inTime<T>(what: string, promise: Promise<T>, within: number = patience): Promise<T> {
  const stop = new AbortController();
  const late = pause(within, null, { signal: stop.signal }).then(
    () => {
      throw new Error(`waited ${within} ms in vain for ${what}`);
    },
    () => new Promise<never>(() => {}),
  );
  try {
    return await Promise.race([promise, late]);
  } finally {
    stop.abort();
  }
}
