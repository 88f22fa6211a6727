/**
 * Process groups and signals as the system shows them: who is in the foreground of a terminal, whether a group still lives, what a
 * signal's number is called. Owns the differences between Linux (/proc) and macOS (ps). Refuses to decide when to signal.
 */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { errorCode } from "./program.js";

/** Signals a process group; one that is gone or of another user is nobody's fault. A stopped one is woken, or it could not end. */
export function hitGroup(group: number, signal: "SIGHUP" | "SIGTERM" | "SIGKILL"): void {
  for (const name of [signal, "SIGCONT"] as const) {
    try {
      process.kill(-group, name);
    } catch {
      return;
    }
  }
}

/** Whether a process group has a member that is more than a zombie; one nobody reaps would otherwise hold up the ladder. */
export function groupLives(group: number): boolean {
  try {
    process.kill(-group, 0);
  } catch (error) {
    // Another user's (sudo) lives on; macOS says the same of a group of zombies.
    return errorCode(error) === "EPERM" && process.platform === "linux";
  }
  if (process.platform !== "linux") return true;
  return readdirSync("/proc").some((name) => {
    if (!/^\d+$/.test(name)) return false;
    const fields = statFields(Number(name));
    return fields !== null && Number(fields[2]) === group && fields[0] !== "Z" && fields[0] !== "X";
  });
}

/** The fields of /proc/PID/stat from the state on: 0 state, 1 parent, 2 group, 3 session, 4 terminal, 5 foreground group. */
function statFields(pid: number): string[] | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The program's name stands in brackets and may hold anything.
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return null;
  }
}

/** The process group in the foreground of the terminal that this process belongs to; null when there is none. */
export function foregroundGroup(pid: number): number | null {
  const group = process.platform === "linux" ? foregroundFromProc(pid) : foregroundFromPs(pid);
  return group !== null && group > 0 ? group : null;
}

function foregroundFromProc(pid: number): number | null {
  const fields = statFields(pid);
  return fields === null ? null : Number(fields[5]);
}

function foregroundFromPs(pid: number): number | null {
  try {
    return Number(
      execFileSync("ps", ["-o", "tpgid=", "-p", String(pid)], { encoding: "utf8", timeout: 1000, stdio: ["ignore", "pipe", "ignore"] }),
    );
  } catch {
    return null;
  }
}

const signalsByNumber = new Map<number, string>();
for (const [name, number] of Object.entries(constants.signals)) {
  // The first name of a number is the usual one: SIGABRT, not SIGIOT.
  if (!signalsByNumber.has(number)) signalsByNumber.set(number, name);
}

/** A signal's full name, as in `SIGKILL`. */
export function signalName(number: number): string {
  return signalsByNumber.get(number) ?? `SIG${number}`;
}
