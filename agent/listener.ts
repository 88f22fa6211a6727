/**
 * The agent's door on this machine: the lock that makes it the only one of its state folder, the socket, and the socket's return when its
 * file vanishes. Owns both files. Refuses folders of other users. What a client says is the connection's.
 */
import { type Failure, fail, ok, type Result } from "../protocol/errors.js";
import { type Lock, takeLock } from "../state/lock-file.js";
import { type Paths, prepareFolders } from "../state/paths.js";
import { listenUnixSocket, type UnixListener } from "../transport/node/unix-socket.js";
import type { Clock, Transport } from "../transport/transport.js";
import type { LogFields } from "./log.js";

export interface ListenerOptions {
  at: Paths;
  clock: Clock;
  accept(transport: Transport): void;
  log(event: string, fields: LogFields): void;
}

/** How often the socket's file is looked for; a cleaner of /tmp must not cost a session its clients for long. */
const lookMs = 1000;

export class Listener {
  readonly #options: ListenerOptions;
  #lock: Lock;
  #socket: UnixListener;
  #cancel: (() => void) | null = null;
  #closed = false;

  private constructor(options: ListenerOptions, lock: Lock, socket: UnixListener) {
    this.#options = options;
    this.#lock = lock;
    this.#socket = socket;
    this.#lookLater();
  }

  /**
   * Takes the lock and listens. Failures: `busy` (another agent is there; its process is in `held`), `not-permitted` (a folder is
   * somebody else's), `unreachable` (nothing can listen there).
   */
  static async open(options: ListenerOptions): Promise<{ ok: true; value: Listener } | { ok: false; error: Failure; held: number | null }> {
    const { at, accept } = options;
    const prepared = prepareFolders(at);
    if (!prepared.ok) return { ...prepared, held: null };
    const locked = await takeLock(at.agentLock, at.socket);
    if (!locked.ok) return { ok: false, error: locked.error, held: locked.held?.pid ?? null };
    const socket = await listenUnixSocket(at.socket, accept);
    if (!socket.ok) {
      locked.value.release();
      return { ...socket, held: null };
    }
    return ok(new Listener(options, locked.value, socket.value));
  }

  /** No more clients; the files are gone. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancel?.();
    await this.#socket.close();
    this.#lock.release();
  }

  #lookLater(): void {
    if (this.#closed) return;
    this.#cancel = this.#options.clock.after(lookMs, () => {
      if (this.#socket.present) {
        this.#lookLater();
        return;
      }
      void this.#again().then((result) => {
        this.#options.log("socket-vanished", { again: result.ok, code: result.ok ? null : result.error.code });
        this.#lookLater();
      });
    });
  }

  /** The folder may have gone with the socket, and somebody else may have come: then that one has the door until it ends. */
  async #again(): Promise<Result<null>> {
    const { at, accept } = this.#options;
    const prepared = prepareFolders(at);
    if (!prepared.ok) return prepared;
    this.#lock.release();
    const locked = await takeLock(at.agentLock, at.socket);
    if (!locked.ok) return locked;
    this.#lock = locked.value;
    if (this.#closed) return fail("offline", "The agent ends.");
    // Its file is gone already; closing it later could remove the new one.
    await this.#socket.close();
    const socket = await listenUnixSocket(at.socket, accept);
    if (!socket.ok) return socket;
    this.#socket = socket.value;
    if (this.#closed) await this.#socket.close();
    return ok(null);
  }
}
