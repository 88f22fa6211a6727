/**
 * The windows of the app: how they are made, where they stand, how a page gets its port, and what happens when a page dies. Owns every
 * BrowserWindow; what is shown in one is the page's, and what it shows it from is the desk's.
 */
import { BrowserWindow, dialog, MessageChannelMain, nativeTheme, type Session, screen, type WebContents } from "electron";
import type { WindowLayout } from "../../link/layout.js";
import type { Settings } from "../../link/settings.js";
import type { Desk } from "../desk/desk.js";
import { titleStripHeight, windowColours } from "./appearance.js";
import { webPreferences } from "./guards.js";
import { onMessage } from "./ipc.js";
import { pageUrl } from "./own-page.js";
import { portTransport } from "./port-transport.js";
import { titleBarOf } from "./versions.js";

export interface WindowsOptions {
  desk: Desk;
  session: Session;
  preload: string;
  devTools: boolean;
}

type Bounds = NonNullable<WindowLayout["bounds"]>;

const firstSize = { width: 1280, height: 800 };
const smallest = { minWidth: 640, minHeight: 420 };
/** A page that dies more often than this within the time is not loaded again by itself. */
const mostCrashes = 3;
const crashesWithinMs = 60_000;
/** Moving and resizing tell a hundred places a second. */
const boundsRestMs = 250;

export class Windows {
  readonly #options: WindowsOptions;
  readonly #windows = new Map<string, BrowserWindow>();
  #quitting = false;

  constructor(options: WindowsOptions) {
    this.#options = options;
    onMessage("muxdeck:ready", (contents) => this.#connect(contents));
    nativeTheme.themeSource = options.desk.settings()["appearance.theme"];
    nativeTheme.on("updated", () => this.#recolour());
    options.desk.onSettings((settings) => {
      nativeTheme.themeSource = settings["appearance.theme"];
      this.#recolour();
    });
  }

  /** Brings back the windows of the last time, or makes the first one. */
  restore(): void {
    const kept = this.#options.desk.keptWindows();
    if (kept.length === 0) this.open();
    for (const layout of kept) this.#make(layout.windowId, layout.bounds);
  }

  /** A new, empty window. */
  open(): void {
    const front = BrowserWindow.getFocusedWindow();
    this.#make(this.#options.desk.newWindowId(), front === null ? null : beside(front.getNormalBounds()));
  }

  /** A second start asked for the app: its windows come to the front, or one is made. */
  show(): void {
    if (this.#windows.size === 0) this.restore();
    for (const window of this.#windows.values()) {
      if (window.isMinimized()) window.restore();
      window.show();
      window.focus();
    }
  }

  /** From now on closed windows are kept for the next start. */
  quitting(): void {
    this.#quitting = true;
  }

  #make(windowId: string, wanted: Bounds | null): void {
    const { desk, session, preload, devTools } = this.#options;
    const titleBar = titleBarOf(process.platform, process.versions.electron);
    const colours = this.#colours();
    const window = new BrowserWindow({
      ...firstSize,
      ...(wanted !== null && isOnScreen(wanted) ? wanted : {}),
      ...smallest,
      show: false,
      title: "Muxdeck",
      backgroundColor: colours.ground,
      autoHideMenuBar: true,
      ...(titleBar === "frame" ? {} : { titleBarStyle: "hidden" }),
      ...(titleBar === "overlay" ? { titleBarOverlay: overlayOf(colours) } : {}),
      ...(titleBar === "inset" ? { trafficLightPosition: { x: 14, y: 13 } } : {}),
      webPreferences: webPreferences({
        preload,
        session,
        devTools,
        facts: [`--muxdeck-platform=${process.platform}`, `--muxdeck-title-bar=${titleBar}`],
      }),
    });
    this.#windows.set(windowId, window);
    window.once("ready-to-show", () => window.show());
    watchBounds(window, (bounds) => desk.putBounds(windowId, bounds));
    window.on("closed", () => this.#closed(windowId));
    reviveOnCrash(window);
    void window.loadURL(pageUrl);
  }

  /** The last window that the user closes is kept: the next start shows it. One of several is meant to be gone. */
  #closed(windowId: string): void {
    this.#windows.delete(windowId);
    if (!this.#quitting && this.#windows.size > 0) this.#options.desk.forgetWindow(windowId);
  }

  /** A page is loaded, or loaded again: it gets a port of its own, and the desk takes it for this window. */
  #connect(contents: WebContents): void {
    const entry = [...this.#windows].find(([, window]) => !window.isDestroyed() && window.webContents === contents);
    if (entry === undefined) return;
    const [windowId] = entry;
    const { port1, port2 } = new MessageChannelMain();
    this.#options.desk.attach(portTransport(port1), { windowId, fresh: false });
    contents.postMessage("muxdeck:port", null, [port2]);
  }

  #colours(): ReturnType<typeof windowColours> {
    const theme: Settings["appearance.theme"] = this.#options.desk.settings()["appearance.theme"];
    return windowColours(theme, nativeTheme.shouldUseDarkColors);
  }

  #recolour(): void {
    const colours = this.#colours();
    for (const window of this.#windows.values()) {
      window.setBackgroundColor(colours.ground);
      if (titleBarOf(process.platform, process.versions.electron) === "overlay") window.setTitleBarOverlay(overlayOf(colours));
    }
  }
}

function overlayOf(colours: ReturnType<typeof windowColours>): { color: string; symbolColor: string; height: number } {
  // One pixel less than the strip, whose lower line would be covered otherwise.
  return { color: colours.ground, symbolColor: colours.controls, height: titleStripHeight - 1 };
}

/** A display may be gone since the last time: enough of the title strip must be reachable. */
function isOnScreen(bounds: Bounds): boolean {
  const grip = 64;
  return screen.getAllDisplays().some(({ workArea }) => {
    const overlapX = Math.min(bounds.x + bounds.width, workArea.x + workArea.width) - Math.max(bounds.x, workArea.x);
    return overlapX >= grip && bounds.y >= workArea.y && bounds.y <= workArea.y + workArea.height - grip;
  });
}

function beside(bounds: Bounds): Bounds {
  return { ...bounds, x: bounds.x + 32, y: bounds.y + 32 };
}

/** Tells where the window stands when it rests, and when it closes. Full screen and maximized keep the place from before. */
function watchBounds(window: BrowserWindow, tell: (bounds: Bounds) => void): void {
  let timer: NodeJS.Timeout | null = null;
  const now = () => {
    timer = null;
    if (!window.isDestroyed()) tell(window.getNormalBounds());
  };
  const later = () => {
    timer ??= setTimeout(now, boundsRestMs);
  };
  window.on("move", later);
  window.on("resize", later);
  window.on("close", () => {
    if (timer !== null) clearTimeout(timer);
    now();
  });
}

/** A page that died is loaded again: its panes attach anew. One that keeps dying waits for the user. */
function reviveOnCrash(window: BrowserWindow): void {
  const crashes: number[] = [];
  window.webContents.on("render-process-gone", (_event, details) => {
    if (details.reason === "clean-exit" || window.isDestroyed()) return;
    crashes.push(Date.now());
    const recent = crashes.filter((at) => at > Date.now() - crashesWithinMs);
    if (recent.length <= mostCrashes) setImmediate(() => !window.isDestroyed() && window.webContents.reload());
    else void askToReload(window, `This window stopped ${recent.length} times (${details.reason}).`);
  });
  window.on("unresponsive", () => void askToReload(window, "This window does not answer."));
}

async function askToReload(window: BrowserWindow, what: string): Promise<void> {
  const { response } = await dialog.showMessageBox(window, {
    type: "warning",
    message: what,
    detail: "Your sessions keep running. Reload the window to see them again.",
    buttons: ["Reload window", "Wait", "Close window"],
    defaultId: 0,
    cancelId: 1,
  });
  if (window.isDestroyed()) return;
  if (response === 0) {
    // A page in a loop cannot unload itself.
    window.webContents.forcefullyCrashRenderer();
    window.webContents.reload();
  } else if (response === 2) {
    window.destroy();
  }
}
