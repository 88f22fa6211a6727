/**
 * The built page as both hosts serve it: a closed set of files read once, found by exact name. Owns the headers that go with it, the
 * content security policy first of all. A name that is not in the set does not exist: no path is ever made from a request.
 */
import { readdir, readFile } from "node:fs/promises";
import { extname, join } from "node:path";

export interface PageFile {
  bytes: Buffer;
  type: string;
}

/** `/index.html`, `/assets/main-x.js` …: the built set by absolute path within the page. */
export type PageFiles = ReadonlyMap<string, PageFile>;

const contentTypes: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".woff2": "font/woff2",
  ".json": "application/json",
  ".txt": "text/plain; charset=utf-8",
  ".webmanifest": "application/manifest+json",
};

/** Reads every file of a known kind below `folder`; others (maps, leftovers) are not part of the page. */
export async function readPageFiles(folder: string): Promise<PageFiles> {
  const files = new Map<string, PageFile>();
  await readInto(files, folder, "/");
  return files;
}

async function readInto(files: Map<string, PageFile>, folder: string, prefix: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await readInto(files, path, `${prefix}${entry.name}/`);
    const type = contentTypes[extname(entry.name)];
    if (entry.isFile() && type !== undefined) files.set(`${prefix}${entry.name}`, { bytes: await readFile(path), type });
  }
}

/**
 * The file for a request target, which may carry a query. Compared as it came: nothing is decoded or resolved, so `..` and `%2e` are
 * names that no file has.
 */
export function findPageFile(files: PageFiles, target: string): PageFile | null {
  const path = target.split(/[?#]/, 1)[0] ?? "";
  return files.get(path === "/" ? "/index.html" : path) ?? null;
}

/**
 * Headers of every answer. `connect` is `'none'` in Electron, where the page has no network at all, and `'self'` in the browser host
 * (its WebSocket). xterm's DOM renderer writes style elements, hence the inline styles.
 */
export function pageHeaders(connect: "'none'" | "'self'"): Record<string, string> {
  return {
    "Content-Security-Policy":
      "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; img-src 'self' data:; " +
      `connect-src ${connect}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
  };
}
