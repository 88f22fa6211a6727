/**
 * Reaches this machine's agent, starting it on demand and detached from us. Owns the copy of the agent's files, the start, and waiting for
 * it to be ready. What is said to it afterwards is the connection's.
 */
import type { Connection } from "../client/connection.js";
import type { Result } from "../protocol/errors.js";
import type { ClientHello } from "../protocol/messages.js";
import type { Paths } from "../state/paths.js";
import type { Transport } from "../transport/transport.js";

export interface LocalOptions {
  /** Who connects: shown to others in the same session. */
  client: ClientHello["client"];
  /** Decides the home (MUXDECK_HOME, XDG folders) and is the agent's environment when it is started. Defaults to this process's. */
  env?: Readonly<Record<string, string | undefined>>;
  /** `demand` (default): start the agent where none answers. `never`: fail with `unreachable`. */
  start?: "demand" | "never";
  /** Folder of the built agent (agent.cjs, screen-worker.cjs). Defaults to `../agent` beside the built file that runs. */
  agentFolder?: string;
}

/**
 * A connection to this machine's agent, not opened yet (`open` or `ready`). Every try starts the agent if it died. Fails with
 * `not-permitted` when the folders belong to another user.
 */
export declare function openLocal(options: LocalOptions): Result<Connection>;

/** One try: connects, starts the agent where none answers, and connects again. Two programs that do this at once both succeed. */
export declare function dialLocal(at: Paths, options: Omit<LocalOptions, "client">): Promise<Result<Transport>>;
