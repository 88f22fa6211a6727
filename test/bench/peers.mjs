/**
 * What is measured beside each other: the bare pty (the limit), tmux, and Muxdeck through its SDK, each with the same shell in 200x50. Owns
 * their processes and files: everything is in one temporary folder and ended by pid at the end.
 */
import { execFile, execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { MuxdeckClient } from "muxdeck";

const here = dirname(fileURLToPath(import.meta.url));
const run = promisify(execFile);

export const shell = ["bash", "--norc", "--noprofile", "-i"];
export const prompt = "READY> ";
export const size = { cols: 200, rows: 50 };
/** Bytes of the text that is printed in floods; lines of 99 characters. */
export const floodBytes = 20_000_000;

export async function openPeers() {
  const folder = mkdtempSync(join(tmpdir(), "muxdeck-bench-"));
  const text = join(folder, "flood.txt");
  writeFileSync(text, floodText());
  const probe = buildProbe(folder);
  const tmux = spawnSync("tmux", ["-V"]).status === 0 ? openTmux(folder) : null;
  const home = join(folder, "home");
  const client = await MuxdeckClient.local({ home, name: "bench" });
  const peers = {
    folder,
    text,
    /** Runs the C probe; null when there is no compiler. */
    probe: probe === null ? null : (args) => measure(probe, args),
    tmux,
    client,
    /** A session with the same shell and prompt. */
    session: (name) => client.terminal.create({ command: shell, name, size, cwd: folder, env: { PS1: prompt } }),
    async close() {
      await client.close();
      tmux?.close();
      endHome(home);
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return peers;
}

function floodText() {
  const line = "abcdefghijklmnopqrstuvwxyz0123456789-".repeat(3).slice(0, 92);
  const lines = [];
  for (let bytes = 0, number = 0; bytes < floodBytes; bytes += 100, number++) lines.push(`${String(number).padStart(6)} ${line}\n`);
  return lines.join("");
}

/** The probe is C because it is the limit: what any program can read from a pty here. */
function buildProbe(folder) {
  const built = spawnSync("cc", ["-O2", "-o", join(folder, "probe"), join(here, "probe.c"), "-lutil"], { encoding: "utf8" });
  return built.status === 0 ? join(folder, "probe") : null;
}

async function measure(probe, args) {
  const { stdout } = await run(probe, args, { timeout: 120_000, maxBuffer: 16 * 1024 * 1024 });
  return stdout
    .trim()
    .split("\n")
    .map((line) => line.split(" ").map(Number));
}

function openTmux(folder) {
  const config = join(folder, "tmux.conf");
  const lines = [
    "set -g status off",
    "set -g default-terminal tmux-256color",
    "set -g history-limit 10000",
    "set -s escape-time 0",
    "set -g visual-bell off",
  ];
  writeFileSync(config, `${lines.join("\n")}\n`);
  const base = ["-L", `muxdeck-bench-${process.pid}`, "-f", config];
  const tmux = (args) => execFileSync("tmux", [...base, ...args], { encoding: "utf8", env: { ...process.env, TMUX: "" } });
  return {
    /** Command line of a new client with a new session. */
    fresh: (name) => ["env", "-u", "TMUX", "tmux", ...base, "new-session", "-s", name, "-x", "200", "-y", "50", ...shell],
    attach: (name) => ["env", "-u", "TMUX", "tmux", ...base, "attach", "-t", name],
    run: tmux,
    close: () => {
      spawnSync("tmux", [...base, "kill-server"], { stdio: "ignore" });
    },
  };
}

/** Ends the agent of a home (and with it its sessions) by pid, found by what its environment says. */
function endHome(home) {
  for (const name of readdirSync("/proc")) {
    try {
      if (!/^\d+$/.test(name) || Number(name) === process.pid) continue;
      if (readFileSync(`/proc/${name}/environ`, "latin1").split("\0").includes(`MUXDECK_HOME=${home}`))
        process.kill(Number(name), "SIGTERM");
    } catch {
      // It ended between two reads, or belongs to someone else.
    }
  }
}
