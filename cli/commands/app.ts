/**
 * `muxdeck app`, and `npm start`: the desktop app in Electron where a display and Electron can be had, else in the browser host. Owns that
 * choice and the one line that says why; Electron's binary is fetched on the first start.
 */
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fail, ok, type Result } from "../../protocol/errors.js";
import { builtFile, packageFolder, runToEnd } from "../child.js";
import type { Command } from "../command.js";
import { say } from "../failures.js";
import { chooseMachine } from "../reach.js";
import { serve } from "./serve.js";

/** A shell's code for a program that could not be run: Electron without the system's libraries ends with it. */
const notRunnable = 127;

/** Its release host serves 100 MB within this, or counts as out of reach. */
const fetchMs = 10 * 60_000;

export const command: Command = {
  usage: "app [-- ELECTRON ARG…]",
  summary: "Opens the desktop app; in a browser where there is no display or no Electron.",
  details: "What stands behind -- goes to Electron.",
  rest: true,
  async run(call) {
    const chosen = chooseMachine(call.machine);
    if (!chosen.ok) return chosen;
    const args = call.arguments.rest ?? [];
    const found = builtFile("main", "electron.cjs") === null ? fail("internal", "the app is not built") : await findElectron(args);
    if (found.ok) {
      const code = await runToEnd(found.value, [packageFolder(), ...args], electronEnvironment());
      if (code !== null && code !== notRunnable) return ok(code);
    }
    const why = found.ok ? "Electron lacks libraries of this system" : found.error.message;
    say(`muxdeck: opening in the browser, because ${why}.`);
    return serve(call, []);
  },
};

/** The path of Electron's binary, or the reason without it as the end of a sentence. */
async function findElectron(args: readonly string[]): Promise<Result<string>> {
  const { DISPLAY, WAYLAND_DISPLAY, ELECTRON_OVERRIDE_DIST_PATH: override } = process.env;
  const desktop = process.platform === "darwin" || process.platform === "win32";
  if (!desktop && !DISPLAY && !WAYLAND_DISPLAY) return fail("internal", "there is no display");
  if (process.platform === "linux" && process.getuid?.() === 0 && !args.includes("--no-sandbox")) {
    return fail("internal", "Electron does not start as root");
  }
  const folder = electronFolder();
  if (override) {
    const binary = join(override, (folder === null ? null : binaryIn(folder)) ?? "electron");
    return existsSync(binary) ? ok(binary) : fail("internal", "ELECTRON_OVERRIDE_DIST_PATH holds no Electron");
  }
  if (folder === null) return fail("internal", "Electron is not installed");
  if (installed(folder) === null) {
    say("muxdeck: fetching Electron for the first start.");
    await fetchElectron(folder);
  }
  const binary = installed(folder);
  return binary === null ? fail("internal", "Electron's release host is out of reach") : ok(binary);
}

function electronFolder(): string | null {
  try {
    return dirname(createRequire(join(packageFolder(), "package.json")).resolve("electron/package.json"));
  } catch {
    return null;
  }
}

/** Name of the binary below Electron's folder, as its installer noted it. */
function binaryIn(folder: string): string | null {
  try {
    return readFileSync(join(folder, "path.txt"), "utf8").trim() || null;
  } catch {
    return null;
  }
}

function installed(folder: string): string | null {
  const name = binaryIn(folder);
  const binary = name === null ? null : join(folder, "dist", name);
  return binary !== null && existsSync(binary) ? binary : null;
}

/** Its own installer, which checks what it fetched. What it prints about a failure is of no use to a user. */
function fetchElectron(folder: string): Promise<void> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(folder, "install.js")], { stdio: "ignore", timeout: fetchMs });
    child.once("error", () => resolve());
    child.once("exit", () => resolve());
  });
}

/** Set by whoever runs Node out of Electron, this would make the app one more Node. */
function electronEnvironment(): NodeJS.ProcessEnv {
  const { ELECTRON_RUN_AS_NODE: _asNode, ...env } = process.env;
  return env;
}
