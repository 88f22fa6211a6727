/**
 * Opens the page, or an address, in a browser of the system. A Chromium-family browser is asked for a window of its own (`--app`): only
 * there does the page get every key. Programs get the address as one argument; no shell reads it.
 */
import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { fail, ok, type Result } from "../../protocol/errors.js";

type Environment = Readonly<Record<string, string | undefined>>;

const chromiumNames = [
  "chromium",
  "chromium-browser",
  "google-chrome-stable",
  "google-chrome",
  "microsoft-edge-stable",
  "microsoft-edge",
  "brave-browser",
  "vivaldi-stable",
];

const macBrowsers = ["Google Chrome", "Chromium", "Microsoft Edge", "Brave Browser", "Vivaldi"].map(
  (name) => `/Applications/${name}.app/Contents/MacOS/${name}`,
);

/** The program and arguments that show `address`; null where there is nothing to show it on, or with. */
export function browserCommand(address: string, as: "app" | "tab", env: Environment, platform: string): string[] | null {
  if (platform === "linux" && !env.DISPLAY && !env.WAYLAND_DISPLAY) return null;
  if (as === "app") {
    const places = platform === "darwin" ? macBrowsers : chromiumNames.flatMap((name) => inPath(name, env));
    const found = places.find(isProgram);
    if (found !== undefined) return [found, `--app=${address}`];
  }
  if (platform === "darwin") return ["open", address];
  if (platform === "win32") return ["rundll32", "url.dll,FileProtocolHandler", address];
  const opener = inPath("xdg-open", env).find(isProgram);
  return opener === undefined ? null : [opener, address];
}

/** Starts the browser, detached. Succeeds when its program could be started. */
export function openBrowser(address: string, as: "app" | "tab", env: Environment): Promise<Result<Record<string, never>>> {
  const command = browserCommand(address, as, env, process.platform);
  if (command === null) return Promise.resolve(fail("unreachable", "No browser was found. Open the address yourself."));
  const [program = "", ...args] = command;
  return new Promise((done) => {
    const child = spawn(program, args, { detached: true, stdio: "ignore" });
    child.once("error", (error) => done(fail("unreachable", `The browser did not start: ${error.message}`)));
    child.once("spawn", () => {
      child.unref();
      done(ok({}));
    });
  });
}

function inPath(name: string, env: Environment): string[] {
  return (env.PATH ?? "")
    .split(delimiter)
    .filter(Boolean)
    .map((folder) => join(folder, name));
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
