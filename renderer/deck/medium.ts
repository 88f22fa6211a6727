/**
 * Finds the way to the desk: the port that Electron's preload hands over, or a WebSocket to the browser host. Owns the page's two tokens:
 * the one-time one in the address, which is gone from it at once, and the tab's own, which lives as long as the tab.
 */
import type { Transport } from "../../transport/transport.js";
import { messagePortTransport } from "../../transport/web/message-port.js";
import { webSocketTransport } from "../../transport/web/websocket.js";

/** `over`: trying again by itself makes no sense. */
export type Opened = { ok: true; transport: Transport } | { ok: false; over: boolean; text: string };

const tabTokenKey = "muxdeck-tab";

const notLetIn =
  "This address was used already, or it is from before a restart. Nothing was opened. Run “muxdeck serve --url” for a new one.";
const notThere = "Muxdeck's browser host does not answer. Sessions keep running. Start it again with “muxdeck serve”.";

/** Listens for the port from the first moment: the preload sends it once. */
const electronPort = window.muxdeck === undefined ? null : portFromPreload();

export function openMedium(): Promise<Opened> {
  return electronPort === null ? openWebSocket() : electronPort;
}

function portFromPreload(): Promise<Opened> {
  return new Promise((resolve) => {
    window.addEventListener("message", (event) => {
      const [port] = event.ports;
      if (event.source !== window || port === undefined || !isPortMessage(event.data)) return;
      resolve({ ok: true, transport: messagePortTransport(port) });
    });
  });
}

function isPortMessage(data: unknown): boolean {
  return typeof data === "object" && data !== null && "muxdeck" in data && data.muxdeck === "port";
}

async function openWebSocket(): Promise<Opened> {
  const token = await tabToken();
  if (token === null) return { ok: false, over: true, text: notLetIn };
  const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/link`, ["muxdeck", `token.${token}`]);
  const opened = await new Promise<boolean>((resolve) => {
    socket.addEventListener("open", () => resolve(true), { once: true });
    socket.addEventListener("close", () => resolve(false), { once: true });
  });
  if (opened) {
    return { ok: true, transport: webSocketTransport(socket, (ms, then) => setTimeout(then, ms)) };
  }
  // A page is not told why a WebSocket failed: a host that answers refused us, one that does not is not there.
  const answers = await fetch("./", { method: "HEAD", cache: "no-store" }).then(
    () => true,
    () => false,
  );
  return answers ? { ok: false, over: true, text: notLetIn } : { ok: false, over: false, text: notThere };
}

/** A new address in a tab that is open already changes only the fragment: the page has to begin again with it. */
if (window.muxdeck === undefined) {
  window.addEventListener("hashchange", () => {
    if (onceToken() !== undefined) location.reload();
  });
}

function onceToken(): string | undefined {
  return /^#(?:token=)?([\w-]{16,256})$/.exec(location.hash)?.[1];
}

async function tabToken(): Promise<string | null> {
  const once = onceToken();
  if (once !== undefined) {
    history.replaceState(null, "", location.pathname + location.search);
    const token = await exchange(once);
    if (token !== null) {
      sessionStorage.setItem(tabTokenKey, token);
      return token;
    }
  }
  return sessionStorage.getItem(tabTokenKey);
}

async function exchange(once: string): Promise<string | null> {
  try {
    const answer = await fetch("session", { method: "POST", headers: { "Content-Type": "text/plain" }, body: once });
    if (!answer.ok) return null;
    const body: unknown = await answer.json();
    return typeof body === "object" && body !== null && "token" in body && typeof body.token === "string" ? body.token : null;
  } catch {
    return null;
  }
}
