/**
 * What a failed command says and exits with. Owns the exit codes (docs: contracts, "CLI") and the two forms of an error: a sentence, or
 * JSON, always on stderr. Refuses stacks: a user can do nothing with one.
 */
import { writeSync } from "node:fs";
import { constants } from "node:os";
import type { ErrorCode, Failure } from "../protocol/errors.js";
import type { ExitStatus } from "../protocol/values.js";
import { printable } from "./printable.js";

const exitCodes: Record<ErrorCode, number> = {
  invalid: 2,
  "not-found": 3,
  ambiguous: 3,
  "not-permitted": 4,
  unauthenticated: 4,
  "certificate-changed": 5,
  offline: 5,
  unreachable: 5,
  version: 5,
  timeout: 6,
  busy: 1,
  limit: 1,
  "spawn-failed": 1,
  ended: 1,
  "agent-restarted": 1,
  "not-delivered": 1,
  internal: 1,
};

export function exitCodeOf(error: Failure): number {
  return exitCodes[error.code];
}

/** How a shell would say it: the program's own code, or 128 and the signal's number. */
export function exitCodeOfStatus(status: ExitStatus): number {
  if ("code" in status) return status.code & 0xff;
  const numbers: Record<string, number | undefined> = constants.signals;
  return 128 + (numbers[status.signal] ?? numbers[`SIG${status.signal}`] ?? (Number(/\d+/.exec(status.signal)?.[0]) || 0));
}

export function statusText(status: ExitStatus): string {
  return "code" in status ? `exit code ${status.code}` : printable(status.signal);
}

export function sayFailure(error: Failure, json: boolean): void {
  const choices = error.choices === undefined ? {} : { choices: error.choices };
  if (json) say(JSON.stringify({ error: { code: error.code, message: error.message, ...choices } }));
  else say(`muxdeck: ${printable(error.message)}`);
}

/** One line on stderr; nobody may be reading it. */
export function say(line: string): void {
  const bytes = Buffer.from(`${line}\n`);
  for (let at = 0, tries = 0; at < bytes.length && tries < 100; tries += 1) {
    try {
      at += writeSync(2, bytes, at);
    } catch (error) {
      const full = error instanceof Error && "code" in error && error.code === "EAGAIN";
      if (!full) return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}
