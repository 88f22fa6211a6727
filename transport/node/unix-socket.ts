/**
 * Frames over a Unix socket (a named pipe on Windows): listening and dialling. Owns the socket file, its mode 0600 and the removal of a
 * dead one; whether this process may listen at all is the lock file's business.
 */
import { chmodSync, existsSync, lstatSync, unlinkSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { fail, ok, type Result } from "../../protocol/errors.js";
import type { Transport } from "../transport.js";
import { byteStreamTransport } from "./byte-stream.js";

export interface UnixListener {
  readonly path: string;
  /** Whether the socket file is still there; when it vanished, close this listener and listen again. */
  readonly present: boolean;
  /** No more accepts, and the file is removed; accepted transports live on. */
  close(): Promise<void>;
}

/**
 * Listens, with the file closed to others from its first moment. A file nobody answers on is removed first; one that answers fails with
 * `busy`. Call it only while holding the lock that names this socket.
 */
export async function listenUnixSocket(path: string, accept: (transport: Transport) => void): Promise<Result<UnixListener>> {
  for (let attempt = 0; ; attempt++) {
    const bound = await bind(path, accept);
    if (!(bound instanceof Error)) return ok(bound);
    if (bound.code !== "EADDRINUSE" || attempt > 0) {
      return fail("unreachable", `Nothing can listen on ${path}: ${bound.message}.`, { scope: "connection" });
    }
    const probe = await dialUnixSocket(path);
    if (probe.ok) {
      probe.value.terminate();
      return fail("busy", `Another program listens on ${path} already.`, { scope: "connection" });
    }
    removeSocket(path);
  }
}

function bind(path: string, accept: (transport: Transport) => void): Promise<UnixListener | NodeJS.ErrnoException> {
  return new Promise((done) => {
    const server = createServer({ pauseOnConnect: false }, (socket) => accept(socketTransport(socket)));
    server.once("error", done);
    server.once("listening", () => {
      server.off("error", done);
      server.on("error", () => {
        // A failed accept (out of descriptors) concerns the peer that dialled; the listener goes on.
      });
      if (!isPipe(path)) chmodSync(path, 0o600);
      done(listener(path, server));
    });
    // The bind happens within listen(), so the file never exists with a wider mode.
    const before = isPipe(path) ? null : process.umask(0o177);
    try {
      server.listen(path);
    } finally {
      if (before !== null) process.umask(before);
    }
  });
}

function listener(path: string, server: Server): UnixListener {
  return {
    path,
    get present() {
      return isPipe(path) || existsSync(path);
    },
    close: () =>
      new Promise((done) => {
        // The callback would wait for accepted sockets too; the file is gone as soon as close() returns.
        server.close();
        done();
      }),
  };
}

/** Connects. `unreachable` when nobody listens; within 5 s (or `timeoutMs`) in any case. */
export function dialUnixSocket(path: string, options: { timeoutMs?: number } = {}): Promise<Result<Transport>> {
  return new Promise((done) => {
    const socket = connect(path);
    const timer = setTimeout(() => {
      socket.destroy();
      done(fail("unreachable", `Nothing answers on ${path}.`, { scope: "connection", retry: "later" }));
    }, options.timeoutMs ?? 5000);
    socket.once("error", (error) => {
      clearTimeout(timer);
      done(fail("unreachable", `Nothing answers on ${path}: ${error.message}.`, { scope: "connection", retry: "later" }));
    });
    socket.once("connect", () => {
      clearTimeout(timer);
      done(ok(socketTransport(socket)));
    });
  });
}

function socketTransport(socket: Socket): Transport {
  return byteStreamTransport({ readable: socket, writable: socket, destroy: () => socket.destroy() });
}

function removeSocket(path: string): void {
  try {
    // Never anything but a socket: a wrong path must not cost a user a file.
    if (lstatSync(path).isSocket()) unlinkSync(path);
  } catch {
    // Gone already.
  }
}

function isPipe(path: string): boolean {
  return path.startsWith("\\\\");
}
