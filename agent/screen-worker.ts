/**
 * The entry of a thread that parses: holds the screens it is told of and does one task after the other. Owns no order and no time: both are
 * the main thread's, which ends this one when a task takes too long.
 */
import { parentPort } from "node:worker_threads";
import type { FromScreens, ScreenTask, TaskResult, ToScreens } from "./screen-messages.js";
import { ScreenModel } from "./screen-model.js";

const port = parentPort;
if (port === null) throw new Error("screen-worker runs as a worker thread only");

const screens = new Map<number, ScreenModel>();

function say(message: FromScreens, transfer: ArrayBuffer[] = []): void {
  port?.postMessage(message, transfer);
}

function run(number: number, task: ScreenTask): TaskResult {
  if (task.task === "begin") {
    screens.get(number)?.dispose();
    screens.set(number, new ScreenModel(task.size, task.scrollback, task.at));
    return { kind: "none" };
  }
  const model = screens.get(number);
  if (model === undefined) return { kind: "failed", reason: `no screen ${number}` };
  switch (task.task) {
    case "fill":
      model.fill(task.bytes);
      return { kind: "none" };
    case "bytes":
      model.feed(task.bytes);
      return { kind: "none" };
    case "size":
      model.resize(task.size);
      return { kind: "none" };
    case "skip":
      model.skip(task.bytes, task.size);
      return { kind: "none" };
    case "snapshot":
      return { kind: "snapshot", snapshot: model.snapshot(task.scrollback) };
    case "answer":
      return { kind: "answer", reply: model.answer(task.query, task.view) };
    case "text":
      return { kind: "text", text: model.text(task.ansi) };
    case "hash":
      return { kind: "hash", hash: model.hash() };
  }
}

function buffersOf(result: TaskResult): ArrayBuffer[] {
  if (result.kind === "snapshot") return [result.snapshot.bytes.buffer];
  return result.kind === "answer" ? [result.reply.buffer] : [];
}

port.on("message", ({ screen, task }: ToScreens) => {
  if (task === "close") {
    screens.get(screen)?.dispose();
    screens.delete(screen);
    return;
  }
  const started = performance.now();
  let result: TaskResult;
  try {
    result = run(screen, task);
  } catch (error) {
    result = { kind: "failed", reason: error instanceof Error ? error.message : String(error) };
  }
  const model = screens.get(screen);
  say({ t: "done", at: model?.at ?? 0, title: model?.title ?? "", took: performance.now() - started, result }, buffersOf(result));
});

say({ t: "ready" });
