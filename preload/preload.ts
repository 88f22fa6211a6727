/**
 * Runs before the page, in its own world: hands the page one message port and a few named facts. The only user of `ipcRenderer`; nothing
 * of it, and no event object, is reachable from the page.
 */
import { contextBridge, ipcRenderer } from "electron";

/** Facts that the main process put on the command line of this window, as `--muxdeck-NAME=VALUE`. */
function fact(name: string): string {
  const start = `--muxdeck-${name}=`;
  return process.argv.find((word) => word.startsWith(start))?.slice(start.length) ?? "";
}

contextBridge.exposeInMainWorld("muxdeck", {
  host: "electron",
  platform: fact("platform"),
  /** `overlay`: window controls over the page's title strip at the right; `inset`: macOS; `frame`: the system draws a title bar. */
  titleBar: fact("title-bar"),
});

ipcRenderer.on("muxdeck:port", (event) => {
  const port = event.ports[0];
  if (port !== undefined) window.postMessage({ muxdeck: "port" }, location.origin, [port]);
});

// By then the page's own script has run and listens: module scripts come before this event.
window.addEventListener("DOMContentLoaded", () => ipcRenderer.send("muxdeck:ready"));
