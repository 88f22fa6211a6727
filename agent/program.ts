/**
 * Answers, before anything is forked, whether a program can be started in a folder: found, executable, of a format this kernel runs,
 * the folder there and enterable, arguments within the kernel's bounds. The pty library reports none of this: its child prints a line
 * and exits 1. Owns the sentences for it. Refuses to start anything, and to guess another program or folder.
 */
import { accessSync, closeSync, constants, openSync, readSync, type Stats, statSync } from "node:fs";
import { endianness, hostname } from "node:os";
import { basename, isAbsolute, resolve } from "node:path";
import { fail, ok, type Result } from "../protocol/errors.js";

/** What is about to be started. */
export interface Start {
  command: string[];
  cwd: string;
  env: Record<string, string>;
}

/** Linux refuses one argument or variable of 128 KiB or more, and all of them together over a quarter of the stack (2 MiB by default). */
const maxStringBytes = 128 * 1024 - 1;
const maxTotalBytes = 2 * 1024 * 1024 - 16 * 1024;

/** Where execvp looks when the environment has no PATH. */
const defaultPath = "/bin:/usr/bin";

const shells = new Set(["sh", "bash", "zsh", "fish", "dash", "ash", "ksh", "mksh", "tcsh", "csh", "nu", "pwsh"]);

/** ELF machine numbers that a kernel of this architecture runs without help, by Node's name for it. */
const elfMachines: Record<string, number[]> = {
  x64: [62, 3],
  arm64: [183, 40],
  arm: [40],
  ia32: [3],
  ppc64: [21, 20],
  s390x: [22],
  riscv64: [243],
  loong64: [258],
};

/**
 * Checks everything that can be known before the fork. The value is the program's full path. Failures: `invalid` (empty, NUL bytes,
 * relative folder), `spawn-failed` (no such program, may not be run, not a program), `not-found` and `not-permitted` (the folder),
 * `limit` (arguments too long).
 */
export function checkStart(start: Start): Result<string> {
  const sizes = checkStrings(start);
  if (!sizes.ok) return sizes;
  const folder = checkFolder(start.cwd);
  if (!folder.ok) return folder;
  const found = findProgram(start.command[0] ?? "", start.cwd, start.env.PATH);
  if (!found.ok) return found;
  const format = checkFormat(found.value, start.cwd);
  return format.ok ? found : format;
}

/** This computer's name without its domain, as sentences call it. */
export function machineName(): string {
  return shown(hostname().split(".")[0] || "this machine");
}

/** A path or name as a sentence may show it: control and direction characters escaped, at most 256 characters with the middle left out. */
export function shown(text: string): string {
  const clean = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
  return clean.length <= 256 ? clean : `${clean.slice(0, 127)}…${clean.slice(-128)}`;
}

function checkStrings({ command, cwd, env }: Start): Result<null> {
  if (!command[0]) return fail("invalid", "The command is empty. No session was started. Name a program, or leave the command out.");
  if (!isAbsolute(cwd)) return fail("invalid", `The folder ${shown(cwd)} is not a full path. No session was started. Begin it with /.`);
  let total = 0;
  for (const text of [cwd, ...command, ...Object.entries(env).map(([name, value]) => `${name}=${value}`)]) {
    if (text.includes("\0")) {
      return fail("invalid", "The command, folder or environment holds a NUL byte. No session was started. Remove it.");
    }
    const bytes = Buffer.byteLength(text);
    // A pointer and the closing NUL count too.
    total += bytes + 9;
    if (bytes > maxStringBytes || total > maxTotalBytes) {
      return fail("limit", "The command with its environment is too long for the kernel. No session was started. Shorten it.");
    }
  }
  for (const name of Object.keys(env)) {
    if (name === "" || name.includes("=")) {
      return fail("invalid", `The environment variable ${shown(name)} has no usable name. No session was started. Rename it.`);
    }
  }
  return ok(null);
}

function checkFolder(cwd: string): Result<null> {
  const where = `${shown(cwd)} on ${machineName()}`;
  const advice = "No session was started. Start in the home folder instead?";
  const stats = look(cwd);
  if (stats === "denied") return fail("not-permitted", `You may not enter ${where}. ${advice}`);
  if (stats === null) return fail("not-found", `The folder ${shown(cwd)} does not exist on ${machineName()}. ${advice}`);
  if (!stats.isDirectory()) return fail("not-found", `${where} is not a folder. ${advice}`);
  if (!may(cwd)) return fail("not-permitted", `You may not enter ${where}. ${advice}`);
  return ok(null);
}

/** The same search as execvp's in the child: after its chdir, with its PATH. */
function findProgram(name: string, cwd: string, path: string | undefined): Result<string> {
  const machine = machineName();
  const bySlash = name.includes("/");
  const places = bySlash ? [resolve(cwd, name)] : (path ?? defaultPath).split(":").map((folder) => resolve(cwd, folder, name));
  let denied: string | null = null;
  for (const place of places) {
    const stats = look(place);
    if (stats === null) continue;
    if (stats !== "denied" && stats.isFile() && may(place)) return ok(place);
    denied ??= place;
  }
  if (denied !== null) {
    return fail("spawn-failed", `You may not run ${shown(denied)} on ${machine}. No session was started. Check its permissions.`);
  }
  const program = shown(basename(name) || name);
  const advice = shells.has(program) ? "Choose another shell in Settings, Terminal." : "Check the spelling, or give its full path.";
  const where = bySlash ? `at ${shown(places[0] ?? name)}` : "on the PATH";
  return fail("spawn-failed", `${program} was not found ${where} on ${machine}. No session was started. ${advice}`);
}

/**
 * Finds what execve would refuse after the fork: a script whose interpreter is missing, a binary for another kind of processor, and
 * data. A text without `#!` passes: execvp hands it to sh.
 */
function checkFormat(place: string, cwd: string): Result<null> {
  const head = readHead(place);
  // A program may be executable without being readable.
  if (head === null || head.length === 0) return ok(null);
  const not = (why: string) =>
    fail("spawn-failed", `${shown(place)} ${why} on ${machineName()}. No session was started. Choose another program.`);
  if (head[0] === 0x23 && head[1] === 0x21) {
    const interpreter = /^#![ \t]*([^ \t\n]+)/.exec(head.toString("latin1"))?.[1];
    if (interpreter === undefined) return ok(null);
    const target = resolve(cwd, Buffer.from(interpreter, "latin1").toString());
    const stats = look(target);
    const runs = stats !== null && stats !== "denied" && stats.isFile() && may(target);
    return runs ? ok(null) : not(`needs ${shown(target)}, which cannot be run`);
  }
  if (process.platform !== "linux") return ok(null);
  if (head.toString("latin1", 0, 4) === "\x7fELF") {
    const known = elfMachines[process.arch];
    if (head.length < 20) return not("is a damaged program");
    const machine = endianness() === "LE" ? head.readUInt16LE(18) : head.readUInt16BE(18);
    return known === undefined || known.includes(machine) || foreignFormats() ? ok(null) : not("is for another kind of processor");
  }
  return head.includes(0) && !foreignFormats() ? not("is not a program") : ok(null);
}

/** Whether the kernel was taught further formats (qemu, wine): then only it knows what runs. */
function foreignFormats(): boolean {
  const folder = look("/proc/sys/fs/binfmt_misc/register");
  return folder !== null && folder !== "denied";
}

function readHead(place: string): Buffer | null {
  let file: number;
  try {
    file = openSync(place, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return null;
  }
  try {
    const head = Buffer.alloc(256);
    return head.subarray(0, readSync(file, head, 0, head.length, 0));
  } catch {
    return null;
  } finally {
    closeSync(file);
  }
}

function look(path: string): Stats | "denied" | null {
  try {
    return statSync(path);
  } catch (error) {
    return errorCode(error) === "EACCES" ? "denied" : null;
  }
}

/** Whether this user may execute a file, or enter a folder. */
function may(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The `code` of a Node system error; empty for anything else. */
export function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}
