/**
 * The closed list of expected failures. A failure travels as a value of this shape, in a reply or in an `error` message; code that
 * throws has a bug. Owns: codes, scopes, retry advice. Refuses: sentences for one screen only (those live where they are shown).
 */
import { z } from "zod";

export const errorCodes = [
  "invalid",
  "not-found",
  "ambiguous",
  "not-permitted",
  "unauthenticated",
  "certificate-changed",
  "offline",
  "unreachable",
  "version",
  "busy",
  "limit",
  "spawn-failed",
  "ended",
  "agent-restarted",
  "not-delivered",
  "timeout",
  "internal",
] as const;
export type ErrorCode = (typeof errorCodes)[number];

/**
 * `scope` says what is gone: one stream, or the whole connection. `retry` says whether the same request may work: at once, after a
 * backoff, or not until somebody changes something.
 */
export const failureSchema = z.object({
  code: z.enum(errorCodes),
  message: z.string().max(2000),
  scope: z.enum(["stream", "connection"]),
  retry: z.enum(["now", "later", "never"]),
  /** Names to choose from when the code is `ambiguous`. */
  choices: z.array(z.string().max(256)).max(64).optional(),
});
export type Failure = z.infer<typeof failureSchema>;

/** An outcome that may be an expected failure. */
export type Result<T> = { ok: true; value: T } | { ok: false; error: Failure };

/** A failure of one stream or request; `retry` is `never` unless said otherwise. */
export function failure(code: ErrorCode, message: string, more: Partial<Omit<Failure, "code" | "message">> = {}): Failure {
  return { code, message, scope: "stream", retry: "never", ...more };
}

export function ok<T>(value: T): { ok: true; value: T } {
  return { ok: true, value };
}

export function fail(
  code: ErrorCode,
  message: string,
  more: Partial<Omit<Failure, "code" | "message">> = {},
): { ok: false; error: Failure } {
  return { ok: false, error: failure(code, message, more) };
}

/** Makes a switch over a union a compile error when a variant is missing. */
export function unreachable(value: never): never {
  throw new Error(`unhandled variant: ${JSON.stringify(value)}`);
}
