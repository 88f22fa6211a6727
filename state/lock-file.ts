/**
 * A lock file that names its holder: pid, start time and socket. Owns taking, breaking and releasing; a stale one is found by connecting
 * to its socket, since pids are reused and other containers' pids are not visible here. Knows no protocol.
 */
import { randomBytes } from "node:crypto";
import { linkSync, readFileSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { z } from "zod";
import { fail, ok, type Result } from "../protocol/errors.js";

const holderSchema = z.object({
  pid: z.int().min(1),
  /** Start time of the process in kernel ticks since boot; null where the platform does not tell. */
  started: z.number().nullable(),
  socket: z.string().max(4096),
  /** Milliseconds since 1970, for people and for locks without a start time. */
  taken: z.number(),
  nonce: z.string().max(64),
});
export type LockHolder = z.infer<typeof holderSchema>;

export interface Lock {
  readonly holder: LockHolder;
  /** Removes the file if it is still this lock's. */
  release(): void;
}

/** Without a start time, a running pid counts as the holder for this long; afterwards only its socket does. */
const startingMs = 10_000;
/** A breaker that died between its two steps blocks others for this long. */
const breakingMs = 5_000;

/**
 * Takes the lock, or fails with `busy`; then `held` says by whom. Held means: its socket answers, or its process runs (which covers the
 * moment between taking the lock and binding the socket).
 */
export async function takeLock(file: string, socket: string): Promise<Result<Lock> & { held?: LockHolder }> {
  const holder: LockHolder = {
    pid: process.pid,
    started: startTime(process.pid),
    socket,
    taken: Date.now(),
    nonce: randomBytes(12).toString("hex"),
  };
  const lock: Lock = { holder, release: () => removeIf(file, holder.nonce) };
  for (let attempt = 0; attempt < 5; attempt++) {
    const published = publish(file, holder);
    if (published === "done") return ok(lock);
    if (published !== "exists") return fail("not-permitted", `${file} cannot be written: ${published}`, { scope: "connection" });
    const other = readLock(file);
    if (other && (await isHeld(other))) {
      return { ...fail("busy", `${file} is held by process ${other.pid}.`, { scope: "connection" }), held: other };
    }
    if (breakLock(file, other?.nonce ?? null, holder)) return ok(lock);
  }
  return fail("busy", `${file} is taken by another program just now. Try again.`, { scope: "connection", retry: "later" });
}

/** Who holds the lock by its file; null when there is none or it is damaged. Says nothing about whether the holder lives. */
export function readLock(file: string): LockHolder | null {
  try {
    const parsed = holderSchema.safeParse(JSON.parse(readFileSync(file, "utf8")));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

/** Whether the holder lives: its socket answers or its process runs. */
export async function isHeld(holder: LockHolder): Promise<boolean> {
  if (await answers(holder.socket)) return true;
  if (!processRuns(holder.pid)) return false;
  const started = startTime(holder.pid);
  if (holder.started !== null && started !== null) return holder.started === started;
  return Math.abs(Date.now() - holder.taken) < startingMs;
}

/** Kernel ticks since boot at which a process started (field 22 of /proc/PID/stat); null where there is no /proc or no process. */
export function startTime(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const ticks = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]);
    return Number.isFinite(ticks) ? ticks : null;
  } catch {
    return null;
  }
}

/** Whole or not at all: the content is written beside it and linked, and a link never replaces a file. */
function publish(file: string, holder: LockHolder): string {
  const draft = `${file}.${holder.pid}.${holder.nonce}`;
  try {
    writeFileSync(draft, `${JSON.stringify(holder)}\n`, { mode: 0o600, flag: "wx" });
    try {
      linkSync(draft, file);
      return "done";
    } finally {
      unlinkSync(draft);
    }
  } catch (error) {
    if (isCode(error, "EEXIST")) return "exists";
    return error instanceof Error ? error.message : String(error);
  }
}

/** Replaces a stale lock. A second file keeps two breakers apart: the later one would otherwise remove the earlier one's new lock. */
function breakLock(file: string, staleNonce: string | null, holder: LockHolder): boolean {
  const guard = `${file}.breaking`;
  try {
    writeFileSync(guard, "", { mode: 0o600, flag: "wx" });
  } catch {
    removeOlderThan(guard, breakingMs);
    return false;
  }
  try {
    if ((readLock(file)?.nonce ?? null) !== staleNonce) return false;
    unlinkSync(file);
    return publish(file, holder) === "done";
  } catch {
    return false;
  } finally {
    unlinkSync(guard);
  }
}

function removeOlderThan(file: string, ms: number): void {
  try {
    if (Date.now() - statSync(file).mtimeMs > ms) unlinkSync(file);
  } catch {
    // Gone already, which is what was wanted.
  }
}

function removeIf(file: string, nonce: string): void {
  if (readLock(file)?.nonce !== nonce) return;
  try {
    unlinkSync(file);
  } catch {
    // The folder went away under us; there is nothing left to release.
  }
}

function processRuns(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return isCode(error, "EPERM");
  }
}

function answers(socket: string): Promise<boolean> {
  return new Promise((done) => {
    const probe = connect(socket);
    const finish = (answer: boolean) => {
      probe.destroy();
      done(answer);
    };
    probe.setTimeout(2000, () => finish(false));
    probe.once("connect", () => finish(true));
    probe.once("error", () => finish(false));
  });
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
