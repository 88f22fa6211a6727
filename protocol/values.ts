/**
 * The values that messages are made of: roles, sizes, views, entries of the session list. Owns their bounds. A change here is a change
 * of the protocol: its version, golden files and docs/protocol.md go with it.
 */
import { z } from "zod";

/** Versions of the protocol this build speaks. An app or hub also drives agents of the previous version. */
export const protocolVersions = { min: 1, max: 1 } as const;
export const productVersion = "0.1.0";
/** The emulator both ends run; a snapshot is exact only between equal emulators. */
export const emulator = { name: "xterm.js", version: "6.0.0" } as const;
export const unicodeVersion = "6";

/** xterm cannot be narrower than 2 columns; the upper bound keeps one screen below 1 M cells. */
export const sizeSchema = z.object({ cols: z.int().min(2).max(1000), rows: z.int().min(1).max(1000) });
export type Size = z.infer<typeof sizeSchema>;

export const streamRoleSchema = z.enum(["observer", "operator"]);
export type StreamRole = z.infer<typeof streamRoleSchema>;

/** What a principal may do at most; `agent` may dial into a hub as a machine and nothing else. */
export const roleSchema = z.enum(["observer", "operator", "admin", "agent"]);
export type Role = z.infer<typeof roleSchema>;

export const sequenceSchema = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
export const streamIdSchema = z.int().min(1).max(0xffffffff);
export const sessionIdSchema = z.string().regex(/^[0-9a-f]{24}$/);
/** Names are shown and typed: no control or bidi characters, nothing that looks like an option. */
export const nameSchema = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}-][^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*$/u);

const colourSchema = z.string().regex(/^#[0-9a-f]{6}$/i);
/** What a pane looks like; the agent answers terminal queries with the driver's. `palette` is ANSI 0-15. */
export const coloursSchema = z.object({
  foreground: colourSchema,
  background: colourSchema,
  cursor: colourSchema,
  palette: z.array(colourSchema).length(16),
});
export type Colours = z.infer<typeof coloursSchema>;

export const viewSchema = z.object({
  cols: sizeSchema.shape.cols,
  rows: sizeSchema.shape.rows,
  /** Size of one cell in CSS pixels; 0 where the client does not know (a terminal that does not say). */
  cellWidth: z.number().min(0).max(500),
  cellHeight: z.number().min(0).max(500),
  colours: coloursSchema.nullable(),
  focused: z.boolean(),
});
export type View = z.infer<typeof viewSchema>;

export const exitSchema = z.union([z.object({ code: z.int() }), z.object({ signal: z.string().max(16) })]);
export type ExitStatus = z.infer<typeof exitSchema>;

export const attachedClientSchema = z.object({ name: z.string().max(256), role: streamRoleSchema });

/** One line of `muxdeck ls --json`, plus what lists need to show activity. */
export const sessionEntrySchema = z.object({
  sessionId: sessionIdSchema,
  name: z.string().max(64),
  machine: z.string().max(256),
  state: z.enum(["running", "ended"]),
  pid: z.int(),
  size: sizeSchema,
  attached: z.array(attachedClientSchema).max(1024),
  /** Name of the client whose pane decides the size. */
  driver: z.string().max(256).nullable(),
  exclusive: z.boolean(),
  /** ISO 8601, UTC. */
  created: z.string().max(40),
  command: z.array(z.string()).max(1024),
  cwd: z.string().max(4096),
  title: z.string().max(256),
  exit: exitSchema.nullable(),
  /** Bytes of the program's output that the guard took out (queries, oversized strings, clamped digits). */
  guardedBytes: z.number().int().min(0),
  /** Output so far, in guarded bytes: the end sequence. */
  output: sequenceSchema,
  /** Times BEL rang. */
  bells: z.int().min(0),
  /** Milliseconds since the last output. */
  idleMs: z.number().min(0),
});
export type SessionEntry = z.infer<typeof sessionEntrySchema>;

/** What a program asked its terminal for; keys and pastes are encoded for it. */
export const modesSchema = z.object({
  applicationCursorKeys: z.boolean(),
  applicationKeypad: z.boolean(),
  bracketedPaste: z.boolean(),
  alternateScreen: z.boolean(),
  mouseTracking: z.enum(["none", "x10", "vt200", "drag", "any"]),
  sendFocus: z.boolean(),
});
export type Modes = z.infer<typeof modesSchema>;

/** The current screen as text; `ansi` repeats it with styles when asked for. */
export const screenSchema = z.object({
  cols: z.int(),
  rows: z.int(),
  cursor: z.object({ x: z.int(), y: z.int(), visible: z.boolean() }),
  seq: sequenceSchema,
  lines: z.array(z.string()),
  title: z.string(),
  hash: z.string(),
  modes: modesSchema,
  ansi: z.string().optional(),
});
export type ScreenText = z.infer<typeof screenSchema>;

/** Signals a client may send to the foreground group of a session. */
export const signalNames = ["HUP", "INT", "QUIT", "TERM", "KILL", "USR1", "USR2", "STOP", "CONT", "TSTP", "WINCH", "ALRM"] as const;
export const signalSchema = z.enum(signalNames);
export type SignalName = z.infer<typeof signalSchema>;
