/**
 * What a window and its desk say to each other, over one duplex transport of frames (protocol/frame.ts): control frames carry the JSON
 * here, byte frames carry pane bytes (`stream` = the pane's number). Schemas run in the desk only; the page imports the types. Byte
 * frames: `data` position = sequence, `snapshot` position = offset, `input` (page to desk) position = 0.
 */
import { z } from "zod";
import { failureSchema } from "../protocol/errors.js";
import {
  type coloursSchema,
  exitSchema,
  nameSchema,
  sequenceSchema,
  sessionEntrySchema,
  sessionIdSchema,
  signalSchema,
  sizeSchema,
  streamIdSchema,
  streamRoleSchema,
  viewSchema,
} from "../protocol/values.js";
import { windowLayoutSchema } from "./layout.js";
import { settingsSchema } from "./settings.js";

const id = z.int().min(1).max(0xffffffff);
/** Number of a pane within its window, chosen by the page; new for each open. */
const pane = z.int().min(1).max(0xffffffff);
/** Id of a machine: that of its agent's state folder. */
const machine = z.string().min(1).max(64);

export const requestSchemas = {
  /** First request of a page. `windowId` from sessionStorage, null in a new one. */
  hello: z.object({ t: z.literal("hello"), id, windowId: z.string().max(64).nullable() }),
  "session-new": z.object({
    t: z.literal("session-new"),
    id,
    machine,
    name: nameSchema.nullable(),
    command: z.array(z.string().max(131072)).min(1).max(1024).nullable(),
    cwd: z.string().max(4096).nullable(),
    size: sizeSchema,
  }),
  "session-rename": z.object({ t: z.literal("session-rename"), id, machine, session: sessionIdSchema, name: nameSchema }),
  "session-signal": z.object({ t: z.literal("session-signal"), id, machine, session: sessionIdSchema, signal: signalSchema }),
  "session-kill": z.object({ t: z.literal("session-kill"), id, machine, session: sessionIdSchema }),
  "session-dismiss": z.object({ t: z.literal("session-dismiss"), id, machine, session: sessionIdSchema }),
  /** Keeps this window's layout; written to disk within a second. */
  "layout-save": z.object({ t: z.literal("layout-save"), id, layout: windowLayoutSchema }),
  "settings-save": z.object({ t: z.literal("settings-save"), id, settings: settingsSchema }),
  "window-new": z.object({ t: z.literal("window-new"), id }),
  /** Opens an http or https address outside, after the desk checked it. */
  "open-link": z.object({ t: z.literal("open-link"), id, url: z.string().max(2048) }),
} as const;
export type LinkRequestType = keyof typeof requestSchemas;
export type LinkRequest<T extends LinkRequestType = LinkRequestType> = { [K in T]: z.infer<(typeof requestSchemas)[K]> }[T];

const machineStateSchema = z.object({
  machine,
  name: z.string().max(256),
  /** Live: connected. Stale: silent for 7 s. Reconnecting: a try is under way or planned. Lost: no more tries until asked. */
  state: z.enum(["live", "stale", "reconnecting", "lost"]),
  /** Why it is lost or reconnecting. */
  error: failureSchema.nullable(),
  attempt: z.int().min(0),
  /** Milliseconds until the next try; null when none is planned. */
  nextTryMs: z.number().nullable(),
  roundTripMs: z.number().nullable(),
  root: z.boolean(),
  sessions: z.array(sessionEntrySchema),
});
export type MachineState = z.infer<typeof machineStateSchema>;

/** What a page needs to draw its first frame. */
export const helloReplySchema = z.object({
  windowId: z.string(),
  host: z.enum(["electron", "browser"]),
  product: z.string(),
  /** Short program name of the login shell, and `user@machine:~$`-like pieces for the first-run page. */
  shell: z.string(),
  user: z.string(),
  home: z.string(),
  layout: windowLayoutSchema.nullable(),
  settings: settingsSchema,
  machines: z.array(machineStateSchema),
  /** What went wrong before the window came: damaged settings or layout that were set aside. */
  notices: z.array(z.string().max(500)),
});
export type HelloReply = z.infer<typeof helloReplySchema>;

export interface LinkReplies {
  hello: HelloReply;
  "session-new": z.infer<typeof sessionEntrySchema>;
  "session-rename": Record<string, never>;
  "session-signal": Record<string, never>;
  "session-kill": Record<string, never>;
  "session-dismiss": Record<string, never>;
  "layout-save": Record<string, never>;
  "settings-save": Record<string, never>;
  "window-new": Record<string, never>;
  "open-link": Record<string, never>;
}

/** Page to desk, about panes: no reply, answered by pane events. */
export const paneMessageSchemas = {
  /** Attaches. `holder` is the pane's own, stable over reloads (kept in the layout). Asks anew with a snapshot. */
  "pane-open": z.object({
    t: z.literal("pane-open"),
    pane,
    machine,
    session: sessionIdSchema,
    role: streamRoleSchema,
    holder: z.string().min(8).max(64),
    view: viewSchema,
    scrollback: z.int().min(0).max(10_000),
  }),
  /** Detaches; the session goes on. */
  "pane-close": z.object({ t: z.literal("pane-close"), pane }),
  "pane-role": z.object({ t: z.literal("pane-role"), pane, role: streamRoleSchema }),
  "pane-view": z.object({ t: z.literal("pane-view"), pane, view: viewSchema }),
  "pane-focus": z.object({ t: z.literal("pane-focus"), pane, on: z.boolean() }),
  "pane-take-size": z.object({ t: z.literal("pane-take-size"), pane }),
  "pane-release-size": z.object({ t: z.literal("pane-release-size"), pane }),
  "pane-exclusive": z.object({ t: z.literal("pane-exclusive"), pane, on: z.boolean() }),
  "pane-ask-control": z.object({ t: z.literal("pane-ask-control"), pane }),
  "pane-answer-control": z.object({
    t: z.literal("pane-answer-control"),
    pane,
    ask: z.int().min(1),
    answer: z.enum(["hand-over", "both", "not-now"]),
  }),
  "pane-input-cancel": z.object({ t: z.literal("pane-input-cancel"), pane }),
  /** xterm parsed everything up to this sequence of this stream: credit flows back. Another stream's is dropped. */
  "pane-parsed": z.object({ t: z.literal("pane-parsed"), pane, stream: streamIdSchema, seq: sequenceSchema }),
  "pane-hash": z.object({ t: z.literal("pane-hash"), pane, stream: streamIdSchema, at: sequenceSchema, value: z.string().max(64) }),
  /** Sends a kept draft, or throws it away. Nothing of a draft is ever sent without this. */
  "pane-draft": z.object({ t: z.literal("pane-draft"), pane, do: z.enum(["send", "discard"]), text: z.string().max(1_048_576).nullable() }),
  /** Tries a lost or waiting link now. */
  reconnect: z.object({ t: z.literal("reconnect"), machine }),
} as const;
export type PaneMessageType = keyof typeof paneMessageSchemas;
export type PaneMessage<T extends PaneMessageType = PaneMessageType> = { [K in T]: z.infer<(typeof paneMessageSchemas)[K]> }[T];

export type PageMessage = LinkRequest | PaneMessage;

export const pageMessageSchema = z.discriminatedUnion("t", [
  requestSchemas.hello,
  requestSchemas["session-new"],
  requestSchemas["session-rename"],
  requestSchemas["session-signal"],
  requestSchemas["session-kill"],
  requestSchemas["session-dismiss"],
  requestSchemas["layout-save"],
  requestSchemas["settings-save"],
  requestSchemas["window-new"],
  requestSchemas["open-link"],
  paneMessageSchemas["pane-open"],
  paneMessageSchemas["pane-close"],
  paneMessageSchemas["pane-role"],
  paneMessageSchemas["pane-view"],
  paneMessageSchemas["pane-focus"],
  paneMessageSchemas["pane-take-size"],
  paneMessageSchemas["pane-release-size"],
  paneMessageSchemas["pane-exclusive"],
  paneMessageSchemas["pane-ask-control"],
  paneMessageSchemas["pane-answer-control"],
  paneMessageSchemas["pane-input-cancel"],
  paneMessageSchemas["pane-parsed"],
  paneMessageSchemas["pane-hash"],
  paneMessageSchemas["pane-draft"],
  paneMessageSchemas.reconnect,
]);

/** A pane's stream as its header and body show it: each state with only its own facts. */
export const paneStateSchema = z.discriminatedUnion("state", [
  z.object({ state: z.literal("starting") }),
  z.object({ state: z.literal("live") }),
  z.object({ state: z.literal("stale"), silentMs: z.number() }),
  z.object({ state: z.literal("reconnecting"), attempt: z.int(), nextTryMs: z.number().nullable() }),
  z.object({ state: z.literal("lost"), error: failureSchema }),
  z.object({ state: z.literal("ended"), exit: exitSchema.nullable(), reason: z.enum(["exit", "agent-restarted"]) }),
  z.object({ state: z.literal("failed"), error: failureSchema }),
]);
export type PaneState = z.infer<typeof paneStateSchema>;

export const deskMessageSchema = z.discriminatedUnion("t", [
  z.object({
    t: z.literal("reply"),
    id,
    result: z.discriminatedUnion("ok", [
      z.object({ ok: z.literal(true), value: z.unknown() }),
      z.object({ ok: z.literal(false), error: failureSchema }),
    ]),
  }),
  z.object({ t: z.literal("machines"), machines: z.array(machineStateSchema) }),
  z.object({ t: z.literal("settings"), settings: settingsSchema }),
  /** Something the user should know and that belongs to no pane. */
  z.object({ t: z.literal("notice"), text: z.string().max(500) }),
  z.object({ t: z.literal("pane-state"), pane, state: paneStateSchema }),
  /** A new stream carries this pane from now on; `parsed` and `hash` name it. */
  z.object({ t: z.literal("pane-stream"), pane, stream: streamIdSchema }),
  z.object({ t: z.literal("pane-role"), pane, role: streamRoleSchema, refused: failureSchema.nullable() }),
  z.object({ t: z.literal("pane-driver"), pane, mine: z.boolean(), name: z.string().nullable(), exclusive: z.boolean() }),
  /** The snapshot frames since the last one make up this screen: apply reset, size and bytes as one. `skipped` bytes are not shown. */
  z.object({ t: z.literal("pane-screen"), pane, at: sequenceSchema, size: sizeSchema, skipped: sequenceSchema, gap: z.boolean() }),
  /** In order with the data frames: resize after the byte before `at`. */
  z.object({ t: z.literal("pane-resized"), pane, at: sequenceSchema, size: sizeSchema }),
  z.object({ t: z.literal("pane-behind"), pane, ms: z.number(), bytes: sequenceSchema }),
  z.object({ t: z.literal("pane-verified"), pane, at: sequenceSchema }),
  /** What was typed and not sent, as text; empty when there is none. `delivered` bytes of the broken send did arrive. */
  z.object({ t: z.literal("pane-draft"), pane, text: z.string(), delivered: z.number().nullable() }),
  z.object({ t: z.literal("pane-control-asked"), pane, ask: z.int(), name: z.string() }),
  z.object({ t: z.literal("pane-control-answered"), pane, answer: z.enum(["hand-over", "both", "not-now"]) }),
]);
export type DeskMessage = z.infer<typeof deskMessageSchema>;
export type DeskMessageOf<T extends DeskMessage["t"]> = Extract<DeskMessage, { t: T }>;

/** Re-exported types that the page draws with, so that it needs no schema. */
export type Colours = z.infer<typeof coloursSchema>;
