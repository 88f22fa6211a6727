/**
 * The one message that may lie over a pane, and its words. Owns which of several comes first and every sentence of a pane's state. Pure:
 * facts in, words out; what a button does is said by name.
 */

import type { ExitStatus } from "../../protocol/values.js";
import type { PaneFacts } from "../deck/state.js";
import { byteCount, countdown, exactDuration, plain, signalWithNumber } from "../ui/words.js";

export type BandButton =
  | "reconnect"
  | "operate"
  | "request-control"
  | "cancel-request"
  | "start-again"
  | "save-text"
  | "try-again"
  | "show-here"
  | "close-pane"
  | "copy-undelivered"
  | "cancel-start";

export interface Band {
  tone: "reconnecting" | "lost" | "observer" | "ended" | "plain";
  /** Lost and failed interrupt; the rest waits its turn. */
  urgent: boolean;
  place: "top" | "bottom";
  first: string;
  second: string | null;
  /** Both on one line. */
  short?: true;
  buttons: BandButton[];
  /** Until the next try, for the line that fills; null: unknown, undefined: no line. */
  progressMs?: number | null;
}

export const buttonWords: Record<BandButton, string> = {
  reconnect: "Reconnect now",
  operate: "Switch to Operate",
  "request-control": "Request control",
  "cancel-request": "Cancel",
  "start-again": "Start again",
  "save-text": "Save text",
  "try-again": "Try again",
  "show-here": "Show it here",
  "close-pane": "Close pane",
  "copy-undelivered": "Copy what was not delivered",
  "cancel-start": "Cancel",
};

export interface BandContext {
  session: string;
  machine: string;
  now: number;
  /** How long the session ran, when this is known. */
  ranMs: number | null;
}

/** A start that takes this long is worth a word. */
export const startingMs = 2000;
/** A refusal is read, then gone. */
export const refusedMs = 8000;

export function bandOf(facts: PaneFacts, context: BandContext): Band | null {
  const { state } = facts;
  const { session, machine, now } = context;
  switch (state.state) {
    case "failed":
      return failed(facts, context);
    case "lost":
      return {
        tone: "lost",
        urgent: true,
        place: "top",
        first: `No longer trying to reach ${machine}: ${lowerFirst(plain(state.error.message))}`,
        second: facts.shown ? "Its last screen is kept." : null,
        buttons: ["try-again"],
      };
    case "reconnecting":
      return reconnecting(facts, context);
    case "ended":
      return ended(facts, context);
    case "starting":
      if (now - facts.since < startingMs) return null;
      return {
        tone: "plain",
        urgent: false,
        place: "top",
        first: `Starting ${session} on ${machine}.`,
        second: null,
        buttons: ["cancel-start"],
      };
    case "stale":
    case "live":
      return live(facts, now);
  }
}

function live(facts: PaneFacts, now: number): Band | null {
  const driver = plain(facts.driver.name ?? "the driver");
  if (facts.refused !== null && now - facts.refused.at < refusedMs) {
    const { error } = facts.refused;
    const exclusive = facts.driver.exclusive && !facts.driver.mine;
    return {
      tone: "lost",
      urgent: false,
      place: "top",
      first: exclusive ? `${driver} has exclusive control.` : plain(error.message),
      second: exclusive ? "Keys are not sent." : facts.role === "observer" ? "You stay an observer." : null,
      buttons: exclusive ? ["request-control"] : [],
    };
  }
  if (facts.asking) {
    return {
      tone: "plain",
      urgent: false,
      place: "top",
      first: `Asked ${driver} for control.`,
      second: facts.role === "observer" ? "You keep watching." : null,
      buttons: ["cancel-request"],
    };
  }
  if (facts.hintUntil > now && facts.role === "observer") {
    return {
      tone: "observer",
      urgent: false,
      place: "top",
      first: "You are watching.",
      second: "Keys are not sent.",
      short: true,
      buttons: facts.driver.exclusive && !facts.driver.mine ? ["operate", "request-control"] : ["operate"],
    };
  }
  return null;
}

function reconnecting(facts: PaneFacts, { machine, now }: BandContext): Band {
  const { state } = facts;
  const attempt = state.state === "reconnecting" ? state.attempt : 0;
  const next = state.state === "reconnecting" ? state.nextTryMs : null;
  const left = next === null ? null : Math.max(0, next - (now - facts.heardAt));
  const when = left === null || left <= 0 ? "" : `, next try in ${countdown(left)}`;
  return {
    tone: "reconnecting",
    urgent: false,
    place: "top",
    first: `Reconnecting to ${machine}${attempt > 0 ? `, attempt ${attempt}` : ""}${when}`,
    second: `The session keeps running there. ${facts.role === "operator" ? "What you type now is kept below, not sent." : "Its last screen is kept."}`,
    buttons: ["reconnect"],
    progressMs: next,
  };
}

function ended(facts: PaneFacts, { machine, ranMs }: BandContext): Band {
  const { state, draft } = facts;
  if (state.state === "ended" && state.reason === "agent-restarted") {
    const undelivered = draft === null ? "" : ` ${byteCount(new TextEncoder().encode(draft.text).length)} you typed were not delivered.`;
    return {
      tone: "ended",
      urgent: false,
      place: "bottom",
      first: `The agent on ${machine} restarted, so this session is gone`,
      second: `Its last screen is kept.${undelivered}`,
      buttons: draft === null ? ["start-again", "save-text"] : ["start-again", "copy-undelivered"],
    };
  }
  const ran = ranMs === null ? "" : `It ran ${exactDuration(ranMs)}. `;
  return {
    tone: "ended",
    urgent: false,
    place: "bottom",
    first: `Session ended${state.state === "ended" && state.exit !== null ? exitWords(state.exit) : ""}`,
    second: `${ran}Its screen and history are kept.`,
    buttons: ["start-again", "save-text"],
  };
}

function failed(facts: PaneFacts, { session, machine }: BandContext): Band {
  const error = facts.state.state === "failed" ? facts.state.error : null;
  const base = { tone: "lost" as const, urgent: true, place: "top" as const };
  switch (error?.code) {
    case "not-found":
      return {
        ...base,
        first: `${machine} has no session ${session} any more`,
        second: "It ended, or its agent lost its state, while this computer was away.",
        buttons: ["start-again", "close-pane"],
      };
    case "busy":
      return { ...base, first: plain(error.message), second: "It keeps running there.", buttons: ["show-here", "close-pane"] };
    case "not-permitted":
    case "unauthenticated":
      return { ...base, first: plain(error.message), second: "Nothing was sent.", buttons: ["close-pane"] };
    default:
      return {
        ...base,
        first: plain(error?.message ?? "This pane could not be opened."),
        second: null,
        buttons: ["try-again", "close-pane"],
      };
  }
}

function exitWords(exit: ExitStatus): string {
  return "code" in exit ? ` with exit code ${exit.code}` : `: killed by ${signalWithNumber(exit.signal)}`;
}

function lowerFirst(sentence: string): string {
  // A name at the beginning keeps its form: only words of our own sentences are made small.
  return /^(The|This|It|No|Your|A|An) /.test(sentence) ? sentence.charAt(0).toLowerCase() + sentence.slice(1) : sentence;
}
