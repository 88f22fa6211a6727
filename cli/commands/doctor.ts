/**
 * `muxdeck doctor`: versions, paths, sockets and limits, for reports. Owns what may be told: no environment, no names of sessions, no keys.
 * Starts nothing and changes nothing.
 */
import { execFileSync } from "node:child_process";
import { lstatSync, readFileSync } from "node:fs";
import { release } from "node:os";
import type { AgentStatus } from "../../protocol/messages.js";
import { emulator, productVersion, protocolVersions, unicodeVersion } from "../../protocol/values.js";
import { isHeld, readLock } from "../../state/lock-file.js";
import { builtFile } from "../child.js";
import { type Command, done } from "../command.js";
import { output, writeJson } from "../output.js";
import { printable } from "../printable.js";
import { chooseMachine, localPaths, reach } from "../reach.js";

export const command: Command = {
  usage: "doctor",
  summary: "Reports versions, paths, sockets and limits, without secrets.",
  async run({ json, machine }) {
    const chosen = chooseMachine(machine);
    if (!chosen.ok) return chosen;
    const report = {
      machine: chosen.value,
      versions: {
        muxdeck: productVersion,
        protocol: protocolVersions,
        emulator: `${emulator.name} ${emulator.version}`,
        unicode: unicodeVersion,
        node: process.versions.node,
        system: `${process.platform} ${release()} ${process.arch}`,
      },
      built: Object.fromEntries(Object.entries(entries).map(([name, path]) => [name, builtFile(...path) !== null])),
      paths: pathFacts(),
      agent: await agentFacts(),
      desk: await deskFacts(),
      limits: limitFacts(),
      terminal: { input: process.stdin.isTTY === true, output: process.stdout.isTTY === true, type: process.env.TERM ?? null },
      display: Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY),
      root: process.getuid?.() === 0,
    };
    if (json) await writeJson(report);
    else await output().write(lines(report, "").join(""));
    return done;
  },
};

const entries: Record<string, string[]> = {
  agent: ["agent", "agent.cjs"],
  sdk: ["sdk", "index.js"],
  electron: ["main", "electron.cjs"],
  browser: ["main", "web.cjs"],
  page: ["renderer", "index.html"],
};

function pathFacts(): Record<string, { path: string; mode: string | null }> {
  const at = localPaths();
  const { config, state, socket, deskSocket, agentLock, deskLock, logs, settings, machines, layouts } = at;
  return Object.fromEntries(
    Object.entries({ config, state, socket, deskSocket, agentLock, deskLock, logs, settings, machines, layouts }).map(([name, path]) => [
      name,
      { path, mode: modeOf(path) },
    ]),
  );
}

/** Permissions in octal; null where there is nothing. */
function modeOf(path: string): string | null {
  try {
    return (lstatSync(path).mode & 0o7777).toString(8).padStart(4, "0");
  } catch {
    return null;
  }
}

async function agentFacts(): Promise<{ state: string; why?: string; status?: AgentStatus }> {
  const reached = await reach(null, "never");
  if (!reached.ok) return { state: "does not answer", why: `${reached.error.code}: ${reached.error.message}` };
  if (reached.value === null) return { state: "stopped" };
  const reply = await reached.value.request("status", {});
  await reached.value.close();
  return reply.ok ? { state: "running", status: reply.value } : { state: "does not answer", why: reply.error.message };
}

async function deskFacts(): Promise<string> {
  const holder = readLock(localPaths().deskLock);
  return holder !== null && (await isHeld(holder)) ? `running (process ${holder.pid})` : "stopped";
}

function limitFacts(): Record<string, string | null> {
  return {
    descriptors: run("ulimit -n"),
    processes: run("ulimit -u"),
    terminals: read("/proc/sys/kernel/pty/max"),
    terminalsInUse: read("/proc/sys/kernel/pty/nr"),
  };
}

function run(script: string): string | null {
  try {
    return (
      execFileSync("/bin/bash", ["-c", script], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"], timeout: 2000 }).trim() || null
    );
  } catch {
    return null;
  }
}

function read(file: string): string | null {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return null;
  }
}

function lines(value: object, indent: string): string[] {
  return Object.entries(value).flatMap(([name, part]: [string, unknown]) =>
    typeof part === "object" && part !== null
      ? [`${indent}${name}:\n`, ...lines(part, `${indent}  `)]
      : [`${indent}${name}: ${printable(part === null ? "none" : String(part))}\n`],
  );
}
