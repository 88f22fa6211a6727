/**
 * What pages may not do, whatever they hold: leave, open windows, embed other pages, ask for devices, reach the network. Owns the fixed
 * web preferences too; no caller and no file changes them. Our page needs none of what is refused here.
 */
import type { Session, WebContents, WebPreferences } from "electron";
import { isOwnPage, ownPath } from "./own-page.js";

/** Hard-coded for every window. `additionalArguments` carries named facts for the preload script, no data from outside. */
export function webPreferences(options: { preload: string; session: Session; devTools: boolean; facts: string[] }): WebPreferences {
  return {
    preload: options.preload,
    session: options.session,
    devTools: options.devTools,
    additionalArguments: options.facts,
    sandbox: true,
    contextIsolation: true,
    nodeIntegration: false,
    nodeIntegrationInWorker: false,
    nodeIntegrationInSubFrames: false,
    webSecurity: true,
    allowRunningInsecureContent: false,
    webviewTag: false,
    navigateOnDragDrop: false,
    spellcheck: false,
    // Terminals in windows behind others go on parsing: their credit, and with it the programs' output, hangs on it.
    backgroundThrottling: false,
  };
}

/**
 * Denies every permission, every device, and every request that is not for a file of our page. Copying and pasting need none: they go
 * through the events that the user's own keys cause.
 */
export function guardSession(session: Session, devTools: boolean): void {
  session.setPermissionRequestHandler((_contents, _permission, answer) => answer(false));
  session.setPermissionCheckHandler(() => false);
  session.setDevicePermissionHandler(() => false);
  session.webRequest.onBeforeRequest((request, answer) => {
    answer({
      cancel: !(ownPath(request.url) !== null || request.url.startsWith("data:") || (devTools && request.url.startsWith("devtools:"))),
    });
  });
  session.on("will-download", (event) => event.preventDefault());
}

/** Keeps a page where it is. Called for every web contents at its creation, so that none is ever without. */
export function guardContents(contents: WebContents): void {
  const stay = (event: { preventDefault(): void }, address: string) => {
    if (!isOwnPage(address)) event.preventDefault();
  };
  contents.on("will-navigate", (event, address) => stay(event, address));
  contents.on("will-redirect", (event, address) => stay(event, address));
  // Absent before Electron 25; there, frames are kept out by the content security policy alone (default-src 'none').
  contents.on("will-frame-navigate", (event) => stay(event, event.url));
  contents.on("will-attach-webview", (event) => event.preventDefault());
  contents.setWindowOpenHandler(() => ({ action: "deny" }));
  contents.setWebRTCIPHandlingPolicy("disable_non_proxied_udp");
}
