/**
 * Our side of every metric: an agent in a home of its own, driven through the SDK as any program would. Ends what it started.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { ready, size } from "./peers.mjs";

/** @returns an SDK client on an agent that nobody else uses, and how to end both */
export async function ours(folder) {
  const home = join(folder, "home");
  process.env.MUXDECK_HOME = home;
  const { MuxdeckClient } = await import("../../dist/sdk/index.js");
  const client = await MuxdeckClient.local();
  return {
    client,
    async shell(command) {
      const session = await client.terminal.create({ command, size });
      const attached = await watched(client, session.sessionId, "operator");
      await attached.until(ready);
      return { ...attached, session };
    },
    watch: (sessionId, mode, options) => watched(client, sessionId, mode, options),
    async end() {
      for (const session of await client.terminal.list()) {
        if (session.state === "running") await client.terminal.terminate(session.sessionId);
      }
      const { spawnSync } = await import("node:child_process");
      await client.close();
      spawnSync(process.execPath, [new URL("../../bin/muxdeck.js", import.meta.url).pathname, "agent", "stop"], { env: process.env });
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** A stream whose bytes can be waited for. */
async function watched(client, sessionId, mode, options = {}) {
  const stream = client.terminal.stream({ mode, lossless: mode === "operator", ...options });
  let held = Buffer.alloc(0);
  let waiting = null;
  let received = 0;
  let gaps = 0;
  let onChunk = null;
  stream.onGap(() => {
    gaps += 1;
  });
  stream.onOutput((data) => {
    received += data.length;
    onChunk?.(data);
    if (waiting === null) {
      held = Buffer.concat([held.subarray(-4096), data]);
      return;
    }
    const seen = Buffer.concat([held.subarray(-64), data]);
    held = seen;
    const at = seen.indexOf(waiting.text);
    if (at < 0) return;
    held = seen.subarray(at + waiting.text.length);
    const { done } = waiting;
    waiting = null;
    done(process.hrtime.bigint());
  });
  await stream.attach(sessionId, { from: "oldest" });
  return {
    stream,
    received: () => received,
    gaps: () => gaps,
    onChunk(handler) {
      onChunk = handler;
    },
    /** Resolves with the time in nanoseconds at which the text had come. */
    until(text) {
      const at = held.indexOf(text);
      if (at >= 0) {
        held = held.subarray(at + text.length);
        return Promise.resolve(process.hrtime.bigint());
      }
      return new Promise((done) => {
        waiting = { text: Buffer.from(text), done };
      });
    },
  };
}
