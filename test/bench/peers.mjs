/**
 * What ours is measured beside: the raw pty read by a C loop, and tmux attached in such a pty. Builds the probe with cc into .cache and
 * keeps each tmux server on a socket of its own, ended by name of that socket. Says null where a peer is not on this machine.
 */
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const cache = resolve(here, "../../.cache/bench");

/** The size of every rung's terminal. */
export const size = { cols: 200, rows: 50 };
/** What the shells of all rungs print when they are ready; nothing else prints it. */
export const ready = "READY> ";

let marks = 0;
/** A marker that no screen shows from an earlier round, and the shell words that print it without containing it. */
export function marker() {
  marks += 1;
  const tail = `${process.pid}x${marks}`;
  return { text: `END${tail}`, print: `printf 'E%s\\n' ND${tail}` };
}

/** A folder for the run's files, with the start file of its shells. */
export function workplace() {
  const folder = mkdtempSync(join(tmpdir(), "muxdeck-bench-"));
  writeFileSync(join(folder, "rc"), `PS1='${ready}'\nPROMPT_COMMAND=\n`);
  return {
    folder,
    shell: ["bash", "--noprofile", "--rcfile", join(folder, "rc"), "-i"],
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Path of the C probe, or null without a compiler. */
export function probe() {
  const source = join(here, "probe.c");
  const program = join(cache, "probe");
  mkdirSync(cache, { recursive: true });
  try {
    if (statSync(program).mtimeMs > statSync(source).mtimeMs) return program;
  } catch {
    // Not built yet.
  }
  const built = spawnSync("cc", ["-O2", "-o", program, source, "-lutil"], { encoding: "utf8" });
  return built.status === 0 ? program : null;
}

/** Runs the probe; gives the lines it printed as numbers, row by row. */
export function runProbe(program, args, command) {
  return new Promise((done, fail) => {
    const child = spawn(program, [String(size.cols), String(size.rows), ...args, "--", ...command], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, TERM: "xterm-256color", LANG: "C.UTF-8" },
    });
    let out = "";
    let wrong = "";
    child.stdout.on("data", (data) => {
      out += data;
    });
    child.stderr.on("data", (data) => {
      wrong += data;
    });
    child.on("error", fail);
    child.on("close", (code) => {
      if (code !== 0) fail(new Error(`probe ${args[0]} ${command[0]}: ${wrong.trim()}`));
      else
        done(
          out
            .trim()
            .split("\n")
            .map((line) => line.split(" ").map(Number)),
        );
    });
  });
}

/** A tmux server of our own with one window; null without tmux. */
export function tmux(shell) {
  if (spawnSync("tmux", ["-V"]).status !== 0) return null;
  const socket = `muxdeck-bench-${process.pid}-${marks++}`;
  const env = { ...process.env, TERM: "xterm-256color", LANG: "C.UTF-8", TMUX: "" };
  const call = (...args) => {
    const run = spawnSync("tmux", ["-u", "-L", socket, "-f", "/dev/null", ...args], { env, encoding: "utf8" });
    if (run.status !== 0) throw new Error(`tmux ${args[0]}: ${run.stderr}`);
    return run.stdout;
  };
  call("new-session", "-d", "-x", String(size.cols), "-y", String(size.rows), ...shell);
  return { call, attach: ["tmux", "-u", "-L", socket, "attach"], end: () => spawnSync("tmux", ["-L", socket, "kill-server"]) };
}
