/** Every message once as it is meant, and what its bounds refuse. */
import { describe, expect, it } from "vitest";
import { failure } from "./errors.js";
import {
  type AgentMessage,
  agentMessageSchema,
  type ClientMessage,
  clientMessageSchema,
  replySchemas,
  requestSchemas,
} from "./messages.js";
import { needs } from "./roles.js";
import { nameSchema, sessionEntrySchema, sizeSchema } from "./values.js";

const session = "0123456789abcdef01234567";
const size = { cols: 80, rows: 24 };
const view = { ...size, cellWidth: 8.4, cellHeight: 17, colours: null, focused: true };
const hello = {
  t: "hello",
  protocol: { min: 1, max: 1 },
  product: "0.1.0",
  emulator: { name: "xterm.js", version: "6.0.0" },
  unicode: "6",
} as const;
const entry = {
  sessionId: session,
  name: "build",
  machine: "web-1",
  state: "running",
  pid: 42,
  size,
  attached: [{ name: "cli", role: "observer" }],
  driver: null,
  exclusive: false,
  created: "2026-01-01T00:00:00.000Z",
  command: ["/bin/bash"],
  cwd: "/",
  title: "",
  exit: null,
  guardedBytes: 0,
  output: 7,
  bells: 0,
  idleMs: 12,
} as const;

const fromClient: { [T in ClientMessage["t"]]: Extract<ClientMessage, { t: T }> } = {
  hello: { ...hello, client: { kind: "sdk", name: "test" }, stateId: null },
  ping: { t: "ping", n: 0 },
  pong: { t: "pong", n: 1 },
  list: { t: "list", id: 1 },
  watch: { t: "watch", id: 2 },
  new: { t: "new", id: 3, name: null, command: ["vim", "-u", "NONE"], cwd: "/tmp", env: { A: "" }, size },
  rename: { t: "rename", id: 4, session, name: "other" },
  signal: { t: "signal", id: 5, session: "build", signal: "INT" },
  kill: { t: "kill", id: 6, session },
  dismiss: { t: "dismiss", id: 7, session },
  screen: { t: "screen", id: 8, session, ansi: true },
  status: { t: "status", id: 9 },
  "detach-others": { t: "detach-others", id: 10, session },
  stop: { t: "stop", id: 0xffffffff },
  attach: {
    t: "attach",
    stream: 1,
    session,
    role: "operator",
    holder: "0123456789",
    view,
    resumeFrom: 12,
    from: "screen",
    scrollback: "none",
    onLag: "skip",
  },
  detach: { t: "detach", stream: 1 },
  credit: { t: "credit", stream: 1, upTo: Number.MAX_SAFE_INTEGER },
  "set-role": { t: "set-role", stream: 1, role: "observer" },
  view: { t: "view", stream: 1, view },
  "take-size": { t: "take-size", stream: 1, size: null },
  "release-size": { t: "release-size", stream: 1 },
  exclusive: { t: "exclusive", stream: 1, on: true },
  "ask-control": { t: "ask-control", stream: 1 },
  "answer-control": { t: "answer-control", stream: 1, ask: 1, answer: "both" },
  focus: { t: "focus", stream: 1, on: false },
  hash: { t: "hash", stream: 1, at: 5, value: "abc" },
  "input-cancel": { t: "input-cancel", stream: 1 },
};

const fromAgent: { [T in AgentMessage["t"]]: Extract<AgentMessage, { t: T }> } = {
  hello: {
    ...hello,
    stateId: "s",
    run: "r",
    machine: "web-1",
    pid: 1,
    root: false,
    principal: { id: "owner", name: "me" },
    maxRole: "admin",
  },
  ping: { t: "ping", n: 3 },
  pong: { t: "pong", n: 3 },
  reply: { t: "reply", id: 1, result: { ok: false, error: failure("busy", "Wait.", { retry: "later" }) } },
  session: { t: "session", change: "added", entry: { ...entry, attached: [...entry.attached], command: [...entry.command] } },
  error: { t: "error", stream: null, error: failure("version", "Update.", { scope: "connection" }) },
  refused: { t: "refused", stream: 1, error: failure("not-permitted", "Ask.") },
  attached: {
    t: "attached",
    stream: 1,
    sessionId: session,
    start: "snapshot",
    seq: 10,
    snapshotBytes: 100,
    skipped: 0,
    role: "operator",
    size,
    inputReceived: null,
  },
  detached: { t: "detached", stream: 1 },
  "snapshot-end": { t: "snapshot-end", stream: 1, at: 10, ...size },
  reset: { t: "reset", stream: 1, reason: "lag", at: 10, ...size, skipped: 5, snapshotBytes: 0 },
  resized: { t: "resized", stream: 1, at: 10, ...size },
  role: { t: "role", stream: 1, role: "operator" },
  driver: { t: "driver", stream: 1, mine: true, name: "me", exclusive: false },
  ack: { t: "ack", stream: 1, upTo: 3 },
  "input-cancelled": { t: "input-cancelled", stream: 1, from: 1, to: 3 },
  behind: { t: "behind", stream: 1, ms: 0.5, bytes: 10 },
  verified: { t: "verified", stream: 1, at: 3 },
  "control-asked": { t: "control-asked", stream: 1, ask: 1, name: "you" },
  "control-answered": { t: "control-answered", stream: 1, answer: "not-now" },
  exit: { t: "exit", stream: 1, seq: 10, status: { signal: "KILL" } },
};

describe("messages", () => {
  it.each(Object.entries(fromClient))("client: %s goes through", (_name, message) => {
    expect(clientMessageSchema.parse(JSON.parse(JSON.stringify(message)))).toEqual(message);
  });

  it.each(Object.entries(fromAgent))("agent: %s goes through", (_name, message) => {
    expect(agentMessageSchema.parse(JSON.parse(JSON.stringify(message)))).toEqual(message);
  });

  it("every message of a client has a role it needs, and every request a reply", () => {
    expect(Object.keys(needs).sort()).toEqual([...Object.keys(fromClient), "input"].sort());
    expect(Object.keys(replySchemas).sort()).toEqual(Object.keys(requestSchemas).sort());
  });

  it.each([
    ["stream 0", { ...fromClient.attach, stream: 0 }],
    ["stream over 32 bits", { ...fromClient.detach, stream: 0x1_0000_0000 }],
    ["negative credit", { ...fromClient.credit, upTo: -1 }],
    ["credit over 2^53", { ...fromClient.credit, upTo: 2 ** 53 }],
    ["fractional position", { ...fromClient.attach, from: 1.5 }],
    ["unknown start", { ...fromClient.attach, from: "middle" }],
    ["short holder", { ...fromClient.attach, holder: "x" }],
    ["unknown signal", { ...fromClient.signal, signal: "0" }],
    ["admin stream", { ...fromClient["set-role"], role: "admin" }],
    ["empty command", { ...fromClient.new, command: [] }],
    ["too much scrollback", { ...fromClient.attach, scrollback: 10_001 }],
    ["unknown type", { t: "constructor" }],
    ["prototype type", { t: "__proto__" }],
    ["no type", {}],
    ["null", null],
  ])("client: %s is refused", (_name, message) => {
    expect(clientMessageSchema.safeParse(message).success).toBe(false);
  });

  it("sizes and names have bounds", () => {
    for (const bad of [
      { cols: 1, rows: 1 },
      { cols: 2, rows: 0 },
      { cols: 1001, rows: 1 },
      { cols: 80.5, rows: 24 },
    ]) {
      expect(sizeSchema.safeParse(bad).success).toBe(false);
    }
    for (const good of ["a", "build 2", "Grüße", "漢字", "a-b", "x".repeat(64)]) expect(nameSchema.safeParse(good).success).toBe(true);
    for (const bad of ["", "-rf", "a\nb", "a\x1bb", "a\u202eb", "a\u200bb", "\u2028", "x".repeat(65)]) {
      expect(nameSchema.safeParse(bad).success).toBe(false);
    }
  });

  it("an entry with more than it may hold is refused", () => {
    expect(sessionEntrySchema.safeParse(entry).success).toBe(true);
    expect(sessionEntrySchema.safeParse({ ...entry, title: "x".repeat(257) }).success).toBe(false);
    expect(sessionEntrySchema.safeParse({ ...entry, sessionId: "0" }).success).toBe(false);
  });
});
