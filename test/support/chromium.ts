/**
 * The system's Chromium under Playwright, and `muxdeck serve` for it to open. Owns how the browser is found and started; never fetches one.
 */
import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright";
import type { MuxdeckHome } from "./muxdeck-home.js";
import { inTime } from "./wait.js";

const places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome-stable", "/usr/bin/google-chrome"];

/** As root there is no sandbox to be had; the rest keeps the browser from doing anything it was not asked for. */
const args = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export function findChromium(): string | null {
  const named = process.env.MUXDECK_TEST_CHROMIUM;
  return named !== undefined && named !== "" ? named : (places.find((place) => existsSync(place)) ?? null);
}

export async function launchChromium(): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === null) throw new Error("no Chromium here; MUXDECK_TEST_CHROMIUM may name one");
  return chromium.launch({ executablePath, args, headless: true });
}

export interface BrowserHost {
  /** The address with its one-time token. */
  readonly url: string;
  /** Everything it printed so far. */
  output(): string;
  close(): Promise<void>;
}

/** `muxdeck serve` on any free port; resolves when it has printed its address. */
export async function startBrowserHost(home: MuxdeckHome, more: string[] = []): Promise<BrowserHost> {
  const child = home.start(["serve", "--no-open", "--port", "0", ...more]);
  let said = "";
  const gone = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const url = new Promise<string>((resolve, reject) => {
    const hear = (bytes: Buffer): void => {
      said += bytes.toString();
      const found = /https?:\/\/\S+/.exec(said)?.[0];
      if (found !== undefined && said.includes("\n")) resolve(found);
    };
    child.stdout?.on("data", hear);
    child.stderr?.on("data", hear);
    child.once("error", reject);
    child.once("close", (code) => reject(new Error(`muxdeck serve ended with ${code}: ${said}`)));
  });
  return {
    url: await inTime("the address of muxdeck serve", url),
    output: () => said,
    close: async () => {
      child.kill("SIGTERM");
      await inTime("the end of muxdeck serve", gone);
    },
  };
}
