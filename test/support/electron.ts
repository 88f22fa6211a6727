/**
 * The desktop app in a real Electron under Playwright: from the checkout, or packed. Owns how it is found and started on a given display;
 * the app's home ends what the app left running.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { _electron, chromium, type ElectronApplication, type Page } from "playwright";
import { type MuxdeckHome, top } from "./muxdeck-home.js";
import { inTime } from "./wait.js";

/** Fetched by `npm test` (scripts/test-electron.mjs); never the Electron that users get. */
const electron = join(top, ".cache/electron-22.3.25/electron");

export function findElectron(): string | null {
  const named = process.env.MUXDECK_TEST_ELECTRON;
  return named !== undefined && named !== "" ? named : existsSync(electron) ? electron : null;
}

/** The version in its folder's name, which the packer must be told. */
export const electronVersion = "22.3.25";
export const electronFolder = dirname(electron);

/** As root Chromium has no sandbox; never outside tests. */
const asRoot = process.getuid?.() === 0 ? ["--no-sandbox"] : [];

/** The checkout in the test Electron, on a display. Playwright reaches into both of its processes. */
export async function launchApp(home: MuxdeckHome, display: string, args: string[] = []): Promise<ElectronApplication> {
  const executablePath = findElectron();
  if (executablePath === null) throw new Error("no Electron here; MUXDECK_TEST_ELECTRON may name one");
  return _electron.launch({
    executablePath,
    args: [...asRoot, top, ...args],
    cwd: home.folder,
    env: { ...home.env, DISPLAY: display },
  });
}

export interface PackedApp {
  readonly pid: number;
  readonly page: Page;
  close(): Promise<void>;
}

/** A packed app. Its fuses shut Node's inspector, by which Playwright would drive it, so only its page is reached, by Chromium's. */
export async function launchPacked(home: MuxdeckHome, display: string, executable: string): Promise<PackedApp> {
  const args = [...asRoot, "--remote-debugging-port=0"];
  const program = spawn(executable, args, {
    cwd: home.folder,
    env: { ...home.env, DISPLAY: display },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const gone = new Promise<void>((resolve) => program.once("exit", () => resolve()));
  const address = new Promise<string>((resolve, reject) => {
    let said = "";
    program.stderr.on("data", (bytes: Buffer) => {
      said += bytes.toString();
      const found = /listening on (ws:\S+)/.exec(said)?.[1];
      if (found !== undefined) resolve(found);
    });
    program.once("error", reject);
    program.once("exit", (code) => reject(new Error(`the packed app ended with ${code}: ${said}`)));
  });
  const browser = await chromium.connectOverCDP(await inTime("the packed app's page", address), { noDefaults: true });
  const context = browser.contexts()[0];
  if (context === undefined || program.pid === undefined) throw new Error("the packed app has no page to reach");
  const page = context.pages()[0] ?? (await context.waitForEvent("page"));
  return {
    pid: program.pid,
    page,
    close: async () => {
      await browser.close();
      program.kill("SIGTERM");
      await inTime("the end of the packed app", gone);
    },
  };
}
