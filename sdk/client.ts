/**
 * `MuxdeckClient`: what a program holds while it talks to agents. Owns opening and closing; what can be done is `terminal`'s.
 */
import { basename } from "node:path";
import type { Connection } from "../client/connection.js";
import { errorOf } from "./errors.js";
import { openLocal } from "./start-agent.js";
import { Terminal } from "./terminal.js";

export interface LocalClientOptions {
  /** Shown to others in the same session; default: the running script's name. */
  name?: string;
  /** Folder that holds everything (MUXDECK_HOME); default: the environment decides. */
  home?: string;
  /** `demand` (default): start the agent where none runs. `never`: reject with UnreachableError. */
  start?: "demand" | "never";
  /** Folder of the agent's built files; default: those of this package. */
  agentFolder?: string;
}

const disposal: typeof Symbol.asyncDispose = Symbol.asyncDispose ?? Symbol.for("Symbol.asyncDispose");

export class MuxdeckClient {
  readonly terminal: Terminal;
  readonly #connection: Connection;

  private constructor(connection: Connection, env: Readonly<Record<string, string | undefined>>) {
    this.#connection = connection;
    this.terminal = new Terminal(connection, env);
  }

  /**
   * A client of this machine's agent, which is started if it does not run. Resolves when the agent said hello. Rejects with
   * UnreachableError (it did not start), PermissionError (its folders belong to another user), VersionError.
   */
  static async local(options: LocalClientOptions = {}): Promise<MuxdeckClient> {
    const { name = scriptName(), home, ...rest } = options;
    const env = home === undefined ? process.env : { ...process.env, MUXDECK_HOME: home };
    const opened = openLocal({ client: { kind: "sdk", name }, env, ...rest });
    if (!opened.ok) throw errorOf(opened.error);
    const ready = await opened.value.ready();
    if (!ready.ok) {
      await opened.value.close();
      throw errorOf(ready.error);
    }
    return new MuxdeckClient(opened.value, env);
  }

  /** Closes all streams, then the link. Afterwards nothing keeps the process alive. Idempotent. */
  async close(): Promise<void> {
    await this.terminal.closeStreams();
    await this.#connection.close();
  }

  async [disposal](): Promise<void> {
    await this.close();
  }
}

function scriptName(): string {
  return (process.argv[1] ? basename(process.argv[1]) : "").slice(0, 256) || "node";
}
