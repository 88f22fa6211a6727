/**
 * The desktop app: the desk in Electron. Owns the order of the start (switches, desk, guards, windows) and of the end (windows, layouts,
 * agents). Takes nothing from the command line but the developers' flag: no command, path or address.
 */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { app, dialog, protocol, session } from "electron";
import { ok, type Result } from "../../protocol/errors.js";
import { paths } from "../../state/paths.js";
import type { Desk } from "../desk/desk.js";
import { openDesk } from "../desk/open-desk.js";
import { readPageFiles } from "../desk/page-files.js";
import { guardContents, guardSession } from "./guards.js";
import { setMenu } from "./menu.js";
import { openExternal } from "./open-external.js";
import { pageScheme } from "./own-page.js";
import { servePage } from "./versions.js";
import { Windows } from "./windows.js";

/** The folders that the build laid beside the one of the file that runs. */
const built = join(dirname(fileURLToPath(import.meta.url)), "..");
const preload = join(built, "preload", "preload.cjs");
const pageFolder = join(built, "renderer");
/** Developer tools, for people who work on Muxdeck. */
const devTools = process.argv.includes("--dev");

// Before `ready`, or they have no effect.
app.setName("Muxdeck");
app.setPath("userData", join(paths({ env: process.env }).state, "electron"));
// Root has no sandbox of Chromium's to be in, and says so with this switch; every window's own preference stays on.
if (!app.commandLine.hasSwitch("no-sandbox")) app.enableSandbox();
// Each pane draws with WebGL; Chromium would take the context of the seventeenth from the first.
app.commandLine.appendSwitch("max-active-webgl-contexts", "64");
protocol.registerSchemesAsPrivileged([{ scheme: pageScheme, privileges: { standard: true, secure: true } }]);
app.on("web-contents-created", (_event, contents) => guardContents(contents));

async function main(): Promise<void> {
  let windows: Windows | null = null;
  const opened = await openDesk(
    {
      env: process.env,
      host: {
        kind: "electron",
        openWindow: async (): Promise<Result<Record<string, never>>> => {
          windows?.open();
          return ok({});
        },
        openLink: openExternal,
      },
      answer: (question) => {
        if (question === "open") windows?.show();
        return { host: "electron", pid: process.pid, address: null };
      },
    },
    "open",
  );
  await app.whenReady();
  if (!opened.ok) {
    dialog.showErrorBox("Muxdeck did not start", opened.error.message);
    app.exit(1);
    return;
  }
  if (opened.value.kind === "taken") {
    await handOver(opened.value.other.address);
    return;
  }
  const { desk, close } = opened.value;
  windows = await showWindows(desk);
  endWith(windows, close);
}

/** A desk runs already: the app's own windows came to the front when it was asked; a browser host's page is opened. */
async function handOver(address: string | null): Promise<void> {
  if (address !== null) {
    const shown = await openExternal(address);
    if (!shown.ok) dialog.showErrorBox("Muxdeck runs in a browser already", shown.error.message);
  }
  app.exit(0);
}

async function showWindows(desk: Desk): Promise<Windows> {
  setMenu(process.platform);
  // In memory: nothing of the page is kept on disk, and no other program's cookies or caches are near it.
  const pageSession = session.fromPartition("muxdeck");
  guardSession(pageSession, devTools);
  servePage(pageSession, pageScheme, await readPageFiles(pageFolder), process.versions.electron);
  const windows = new Windows({ desk, session: pageSession, preload, devTools });
  windows.restore();
  return windows;
}

function endWith(windows: Windows, close: () => Promise<void>): void {
  let closing = false;
  app.on("before-quit", () => windows.quitting());
  app.on("activate", () => windows.show());
  app.on("window-all-closed", () => {
    if (process.platform !== "darwin") app.quit();
  });
  app.on("will-quit", (event) => {
    event.preventDefault();
    if (closing) return;
    closing = true;
    // Not `quit` once more: a quit that was held back leaves Electron, at times, deaf to the next one.
    void close().then(() => app.exit(0));
  });
}

void main();
