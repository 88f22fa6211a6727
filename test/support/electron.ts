/**
 * The desktop app in a real Electron under Playwright: from the checkout, or packed. Owns how it is found and started on a given display;
 * the app's home ends what the app left running.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { _electron, type ElectronApplication } from "playwright";
import { type MuxdeckHome, top } from "./muxdeck-home.js";

/** Fetched by `npm test` (scripts/test-electron.mjs); never the Electron that users get. */
const electron = join(top, ".cache/electron-22.3.25/electron");

export function findElectron(): string | null {
  const named = process.env.MUXDECK_TEST_ELECTRON;
  return named !== undefined && named !== "" ? named : existsSync(electron) ? electron : null;
}

export interface AppStart {
  /** For DISPLAY. */
  display: string;
  /** A packed app's executable; left out: the checkout in the test Electron. */
  packed?: string;
  args?: string[];
  env?: Record<string, string>;
}

export async function launchApp(home: MuxdeckHome, start: AppStart): Promise<ElectronApplication> {
  const executablePath = start.packed ?? findElectron();
  if (executablePath === null) throw new Error("no Electron here; MUXDECK_TEST_ELECTRON may name one");
  const asRoot = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  const program = start.packed === undefined ? [top] : [];
  return _electron.launch({
    executablePath,
    args: [...asRoot, `--user-data-dir=${join(home.folder, "electron")}`, ...program, ...(start.args ?? [])],
    cwd: home.folder,
    env: { ...home.env, DISPLAY: start.display, ...start.env },
  });
}
