/**
 * The HTTP side of the browser host: the built page, the exchange of tokens, and the upgrade to the link. Listens on loopback only. Owns
 * the order of checks (Host, then path, then Origin, then token) and that nothing is served, exchanged or upgraded before them.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { fail, ok, type Result } from "../../protocol/errors.js";
import { WebSocketDoor } from "../../transport/node/websocket.js";
import type { Transport } from "../../transport/transport.js";
import { findPageFile, type PageFiles, pageHeaders } from "../desk/page-files.js";
import { hostAllowed, originAllowed } from "./origin.js";
import type { TabKind, Tokens } from "./tokens.js";

export interface WebServerOptions {
  files: PageFiles;
  tokens: Tokens;
  /** 0: any free one. */
  port: number;
  /** Host names allowed besides the loopback ones, in lower case. */
  allowHosts: ReadonlySet<string>;
  /** A page with a good token opened its link. */
  attach: (transport: Transport, kind: TabKind) => void;
}

export interface WebServer {
  readonly port: number;
  /** No more connections; open links are the desk's to close. */
  close(): Promise<void>;
}

const loopback = "127.0.0.1";
/** A connection that says nothing, or not enough, for this long is dropped. */
const silentMs = 5000;
const maxHeaderBytes = 8192;
/** A token is 43 characters. */
const maxTokenBytes = 256;
const maxConnections = 256;
const subprotocol = "muxdeck";
const tokenPrefix = "token.";

/** Starts listening; `busy` when the port is taken. */
export function startWebServer(options: WebServerOptions): Promise<Result<WebServer>> {
  const door = new WebSocketDoor((offered) => (offered.has(subprotocol) ? subprotocol : false));
  const server = createServer({ maxHeaderSize: maxHeaderBytes }, (request, response) => {
    void answer(options, request, response);
  });
  server.maxConnections = maxConnections;
  server.headersTimeout = silentMs;
  server.requestTimeout = silentMs * 2;
  server.setTimeout(silentMs * 2, (socket) => socket.destroy());
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => upgrade(options, door, request, socket, head));
  return new Promise((done) => {
    server.once("error", (error: NodeJS.ErrnoException) => done(listenFailure(error, options.port)));
    server.listen(options.port, loopback, () => {
      const address = server.address();
      done(ok({ port: isAddress(address) ? address.port : options.port, close: () => closeServer(server) }));
    });
  });
}

function listenFailure(error: NodeJS.ErrnoException, port: number): Result<never> {
  if (error.code === "EADDRINUSE") {
    return fail("busy", `Port ${port} is in use by another program. Choose another with --port, or leave it out.`);
  }
  if (error.code === "EACCES") return fail("not-permitted", `You may not listen on port ${port}. Choose one above 1023.`);
  return fail("internal", `Port ${port} cannot be opened: ${error.message}`);
}

function isAddress(address: AddressInfo | string | null): address is AddressInfo {
  return typeof address === "object" && address !== null;
}

function closeServer(server: Server): Promise<void> {
  return new Promise((done) => {
    server.close(() => done());
    // Absent before Node 18.2; idle connections then end with their timeout.
    server.closeAllConnections?.();
  });
}

async function answer(options: WebServerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  for (const [name, value] of Object.entries(pageHeaders("'self'"))) response.setHeader(name, value);
  if (!hostAllowed(request.headers.host, options.allowHosts)) {
    refuse(response, 403, "This name is not served here. Start Muxdeck with --allow-host to serve it.");
  } else if (request.url === "/session") {
    await exchange(options, request, response);
  } else if (request.method !== "GET" && request.method !== "HEAD") {
    refuse(response, 405, "Only GET and HEAD are answered here.");
  } else {
    serveFile(options.files, request, response);
  }
}

function serveFile(files: PageFiles, request: IncomingMessage, response: ServerResponse): void {
  const file = findPageFile(files, request.url ?? "");
  if (file === null) {
    refuse(response, 404, "There is nothing here.");
    return;
  }
  response.setHeader("Content-Type", file.type);
  response.setHeader("Content-Length", file.bytes.length);
  response.end(request.method === "HEAD" ? undefined : file.bytes);
}

/** One-time token in, per-tab token out. Only for our own page: its Origin is our Host. */
async function exchange(options: WebServerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== "POST") {
    refuse(response, 405, "Only POST is answered here.");
    return;
  }
  if (!originAllowed(request.headers.origin, request.headers.host)) {
    refuse(response, 403, "This is for Muxdeck's own page only.");
    return;
  }
  const body = await readBody(request);
  const token = body === null ? null : options.tokens.exchange(body.trim());
  if (token === null) {
    refuse(response, 401, "This address was used already. Print a new one with muxdeck serve --url.");
    return;
  }
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify({ token }));
}

/** Null when it is longer than a token can be, or broke off. */
function readBody(request: IncomingMessage): Promise<string | null> {
  return new Promise((done) => {
    let body = "";
    request.setEncoding("latin1");
    request.on("data", (chunk: string) => {
      body += chunk;
      if (body.length > maxTokenBytes) done(null);
    });
    request.on("end", () => done(body.length > maxTokenBytes ? null : body));
    request.on("error", () => done(null));
    request.on("close", () => done(null));
  });
}

function refuse(response: ServerResponse, status: number, sentence: string): void {
  response.statusCode = status;
  response.setHeader("Content-Type", "text/plain; charset=utf-8");
  // What is left of the request is not read: the connection ends with the answer.
  response.setHeader("Connection", "close");
  response.end(`${sentence}\n`);
}

function upgrade(options: WebServerOptions, door: WebSocketDoor, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  socket.on("error", () => socket.destroy());
  const kind = tokenKind(options.tokens, request.headers["sec-websocket-protocol"]);
  if (!hostAllowed(request.headers.host, options.allowHosts) || !originAllowed(request.headers.origin, request.headers.host)) {
    refuseUpgrade(socket, "403 Forbidden");
  } else if (request.url !== "/link") {
    refuseUpgrade(socket, "404 Not Found");
  } else if (kind === null) {
    refuseUpgrade(socket, "401 Unauthorized");
  } else {
    // From here on the desk decides; a quiet page is no reason to drop it.
    request.socket.setTimeout(0);
    door.accept(request, socket, head, (transport) => options.attach(transport, kind));
  }
}

/** The offer is exactly `muxdeck` and `token.…`: a token is never in a URL, a cookie or a log of either. */
function tokenKind(tokens: Tokens, offer: string | undefined): TabKind | null {
  const words = (offer ?? "").split(",").map((word) => word.trim());
  const token = words.find((word) => word.startsWith(tokenPrefix));
  if (words.length !== 2 || !words.includes(subprotocol) || token === undefined) return null;
  return tokens.check(token.slice(tokenPrefix.length));
}

function refuseUpgrade(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
