/**
 * A home with an agent that the SDK starts from dist, programs in it, and emulators that show what a stream gave. Owns every client it
 * made: they end with the home.
 */
import { join } from "node:path";
import { Terminal } from "@xterm/headless";
import type { Connection } from "../../client/connection.js";
import { screenHash } from "../../protocol/screen-hash.js";
import type { ScreenText } from "../../protocol/values.js";
import { MuxdeckClient, type SessionInfo, type TerminalStream } from "../../sdk/index.js";
import { openLocal } from "../../sdk/start-agent.js";
import { createHome, type MuxdeckHome, top } from "./muxdeck-home.js";

export const agentFolder = join(top, "dist/agent");
export const prompt = "ready> ";

export interface SdkHome extends MuxdeckHome {
  client(name?: string): Promise<MuxdeckClient>;
  /** A session of `bash --norc` that prompts with `ready> `. */
  bash(client: MuxdeckClient, name?: string): Promise<SessionInfo>;
  /** Text and cursor as the agent's own emulator has them. */
  screen(session: SessionInfo): Promise<ScreenText>;
}

export function createSdkHome(): SdkHome {
  const home = createHome();
  const clients: MuxdeckClient[] = [];
  let plain: Connection | null = null;
  return {
    ...home,
    client: async (name = "test") => {
      const client = await MuxdeckClient.local({ name, home: home.folder, agentFolder });
      clients.push(client);
      return client;
    },
    bash: (client, name) =>
      client.terminal.create({
        command: ["bash", "--norc", "--noprofile"],
        cwd: home.folder,
        env: { PS1: prompt, HISTFILE: "/dev/null", PROMPT_COMMAND: "" },
        size: { cols: 80, rows: 24 },
        ...(name === undefined ? {} : { name }),
      }),
    screen: async ({ sessionId }) => {
      if (!plain) {
        const opened = openLocal({ client: { kind: "sdk", name: "screen reader" }, env: home.env, start: "never" });
        if (!opened.ok) throw new Error(opened.error.message);
        plain = opened.value;
        await plain.ready();
      }
      const screen = await plain.request("screen", { session: sessionId, ansi: false });
      if (!screen.ok) throw new Error(screen.error.message);
      return screen.value;
    },
    close: async () => {
      await plain?.close();
      for (const client of clients) await client.close();
      await home.close();
    },
  };
}

/** An emulator that is fed with everything a stream gives, in order. */
export class Show {
  readonly terminal: Terminal;

  constructor(stream: TerminalStream, scrollback = 1000) {
    this.terminal = new Terminal({ cols: 80, rows: 24, scrollback, allowProposedApi: true, logLevel: "off" });
    stream.onSize(({ cols, rows }) => this.terminal.resize(cols, rows));
    stream.onOutput((data) => new Promise<void>((done) => this.terminal.write(data, done)));
  }

  get hash(): string {
    return screenHash(this.terminal);
  }

  get lines(): string[] {
    const { active } = this.terminal.buffer;
    return Array.from({ length: this.terminal.rows }, (_, y) => active.getLine(active.baseY + y)?.translateToString(true) ?? "");
  }

  get cursor(): { x: number; y: number } {
    const { cursorX, cursorY } = this.terminal.buffer.active;
    return { x: cursorX, y: cursorY };
  }
}

/** Everything live that a stream gives, as bytes. */
export class Collected {
  readonly chunks: Uint8Array[] = [];
  bytes = 0;
  screens = 0;
  gaps = 0;

  constructor(stream: TerminalStream) {
    stream.onOutput((data, at) => {
      if (at.kind === "screen") this.screens++;
      else {
        this.chunks.push(data);
        this.bytes += data.length;
      }
    });
    stream.onGap(() => this.gaps++);
  }

  get all(): Buffer {
    return Buffer.concat(this.chunks);
  }

  get text(): string {
    return this.all.toString("latin1");
  }
}
