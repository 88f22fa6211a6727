/**
 * What the main thread and a thread full of emulators say to each other. Every message to it but `close` gets one `done`, in order; that
 * order is all they need to agree on what is parsed. Types only.
 */
import type { ScreenText, Size } from "../protocol/values.js";
import type { ReplyView } from "./responder.js";
import type { ModelSnapshot } from "./screen-model.js";

/** What is done with one screen. */
export type ScreenTask =
  /** A screen that stands at `at`; one of that number is thrown away. */
  | { task: "begin"; at: number; size: Size; scrollback: number }
  /** A part of a snapshot taken there. */
  | { task: "fill"; bytes: Uint8Array<ArrayBuffer> }
  | { task: "bytes"; bytes: Uint8Array<ArrayBuffer> }
  | { task: "size"; size: Size }
  /** Bytes that killed a thread twice. */
  | { task: "skip"; bytes: Uint8Array<ArrayBuffer>; size: Size }
  | { task: "snapshot"; scrollback: number }
  | { task: "answer"; query: Uint8Array<ArrayBuffer>; view: ReplyView }
  | { task: "text"; ansi: boolean }
  | { task: "hash" };

export type ToScreens = { screen: number; task: ScreenTask } | { screen: number; task: "close" };

export type TaskResult =
  | { kind: "none" }
  | { kind: "snapshot"; snapshot: ModelSnapshot }
  | { kind: "answer"; reply: Uint8Array<ArrayBuffer> }
  | { kind: "text"; text: ScreenText }
  | { kind: "hash"; hash: string }
  /** A fault of ours; the screen goes on. */
  | { kind: "failed"; reason: string };

/** `at`: where the emulator stands now. */
export interface TaskDone {
  at: number;
  title: string;
  result: TaskResult;
}

export type FromScreens = { t: "ready" } | ({ t: "done" } & TaskDone);
