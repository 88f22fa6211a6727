/**
 * The few differences between the Electron that users get (45) and the oldest one this runs on (22). Everything that asks "is this call
 * there?" is in this file, so that the rest reads as if there were one Electron.
 */
import type { Session } from "electron";
import { findPageFile, type PageFiles, pageHeaders } from "../desk/page-files.js";
import { ownPath } from "./own-page.js";

/** `protocol.handle` came with 25; before, a buffer protocol does the same. */
const handleSince = 25;
/** Window controls drawn over a hidden title bar on Linux; earlier, a window without a frame would have no controls there. */
const linuxOverlaySince = 32;

/** How the window's controls stand: in the page's title strip (`overlay`, `inset` on macOS), or in a frame of the system's. */
export type TitleBar = "overlay" | "inset" | "frame";

export function titleBarOf(platform: string, electronVersion: string): TitleBar {
  if (platform === "darwin") return "inset";
  return platform === "win32" || majorOf(electronVersion) >= linuxOverlaySince ? "overlay" : "frame";
}

/** Serves the built page, and nothing else, at its scheme. */
export function servePage(session: Session, scheme: string, files: PageFiles, electronVersion: string): void {
  const headers = pageHeaders("'none'");
  if (majorOf(electronVersion) >= handleSince) {
    session.protocol.handle(scheme, (request) => {
      const file = request.method === "GET" ? fileFor(files, request.url) : null;
      if (file === null) return new Response(null, { status: 404, headers });
      return new Response(new Uint8Array(file.bytes), { headers: { ...headers, "Content-Type": file.type } });
    });
    return;
  }
  session.protocol.registerBufferProtocol(scheme, (request, answer) => {
    const file = request.method === "GET" ? fileFor(files, request.url) : null;
    if (file === null) answer({ statusCode: 404, headers, mimeType: "text/plain", data: Buffer.alloc(0) });
    else answer({ statusCode: 200, headers: { ...headers, "Content-Type": file.type }, mimeType: mimeOf(file.type), data: file.bytes });
  });
}

function fileFor(files: PageFiles, address: string): ReturnType<typeof findPageFile> {
  const path = ownPath(address);
  return path === null ? null : findPageFile(files, path);
}

/** Without the charset: that is a header's matter. */
function mimeOf(type: string): string {
  return type.split(";", 1)[0] ?? type;
}

function majorOf(version: string): number {
  return Number(version.split(".", 1)[0]);
}
