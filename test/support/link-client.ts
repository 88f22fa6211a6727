/**
 * A page's way into a running browser host without a browser: trades the address's token, opens the link as a page of that host would,
 * and speaks it. For tests of the host itself; what users see is tested with the real page.
 */
import { request } from "node:http";
import { dialWebSocket } from "../../transport/node/websocket.js";
import { FakePage } from "./fake-page.js";

/** Per-tab token for an address as `muxdeck serve` prints it; null when it was refused. */
export function exchangeToken(address: string): Promise<string | null> {
  const url = new URL(address);
  return new Promise((done, failed) => {
    const asked = request(
      { host: url.hostname, port: url.port, path: "/session", method: "POST", headers: { Origin: url.origin }, agent: false },
      (answer) => {
        let body = "";
        answer.on("data", (chunk) => {
          body += chunk;
        });
        answer.on("end", () => done(answer.statusCode === 200 ? JSON.parse(body).token : null));
      },
    );
    asked.on("error", failed);
    asked.end(url.hash.slice(1));
  });
}

/** Opens the link with a per-tab token. */
export async function openLink(address: string, token: string): Promise<FakePage> {
  const url = new URL(address);
  const dialled = await dialWebSocket(`ws://${url.host}/link`, {
    headers: { Origin: url.origin },
    protocols: ["muxdeck", `token.${token}`],
  });
  if (!dialled.ok) throw new Error(dialled.error.message);
  return new FakePage(dialled.value);
}

/** A new page on a printed address. */
export async function openAddress(address: string): Promise<FakePage> {
  const token = await exchangeToken(address);
  if (token === null) throw new Error("the address was refused");
  return openLink(address, token);
}
