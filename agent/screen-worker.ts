/**
 * The entry of a thread that parses: passes tasks to its screens and says what came of them. Nothing else is in the thread, so that ending
 * it at any moment loses nothing that cannot be made again.
 */
import { parentPort } from "node:worker_threads";
import { ScreenHost } from "./screen-host.js";
import type { FromScreens, TaskResult, ToScreens } from "./screen-messages.js";

const port = parentPort;
if (port === null) throw new Error("screen-worker runs as a worker thread only");

const host = new ScreenHost();

function say(message: FromScreens, transfer: ArrayBuffer[]): void {
  port?.postMessage(message, transfer);
}

/** What is handed over instead of copied. */
function buffersOf(result: TaskResult): ArrayBuffer[] {
  if (result.kind === "snapshot") return [result.snapshot.bytes.buffer];
  return result.kind === "answer" ? [result.reply.buffer] : [];
}

port.on("message", ({ screen, task }: ToScreens) => {
  if (task === "close") {
    host.forget(screen);
    return;
  }
  const done = host.do(screen, task);
  say({ t: "done", ...done }, buffersOf(done.result));
});

say({ t: "ready" }, []);
