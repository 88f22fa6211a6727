/**
 * A machine's connection and its streams for tests of the desk: does nothing by itself, keeps what was asked of it, and says what a test
 * makes it say.
 */
import type { ConnectionState, RequestFields, WatchEvents } from "../../client/connection.js";
import type { StreamEvents, StreamOptions, StreamState } from "../../client/stream.js";
import type { AgentLink, PaneStream } from "../../main/desk/agent-link.js";
import { fail, type Result } from "../../protocol/errors.js";
import type { AgentHello, Attached, ReplyValue, RequestType } from "../../protocol/messages.js";
import { emulator, productVersion, protocolVersions, type SessionEntry, type StreamRole, unicodeVersion } from "../../protocol/values.js";

export const fakeAgent: AgentHello = {
  t: "hello",
  protocol: protocolVersions,
  product: productVersion,
  emulator,
  unicode: unicodeVersion,
  stateId: "machine-1",
  run: "run-1",
  machine: "thinkpad",
  pid: 1,
  root: false,
  principal: { id: "owner", name: "owner" },
  maxRole: "admin",
};

export function fakeEntry(sessionId: string, more: Partial<SessionEntry> = {}): SessionEntry {
  return {
    sessionId,
    name: "bash",
    machine: "thinkpad",
    state: "running",
    pid: 100,
    size: { cols: 80, rows: 24 },
    attached: [],
    driver: null,
    exclusive: false,
    created: "2026-01-01T00:00:00.000Z",
    command: ["bash"],
    cwd: "/",
    title: "",
    exit: null,
    guardedBytes: 0,
    output: 0,
    bells: 0,
    idleMs: 0,
    ...more,
  };
}

export class FakeStream implements PaneStream {
  state: StreamState = { state: "detached" };
  role: StreamRole;
  /** Every call, as its name and arguments. */
  readonly calls: unknown[][] = [];
  readonly sent: Uint8Array[] = [];
  readonly options: StreamOptions;
  readonly events: StreamEvents;

  constructor(options: StreamOptions, events: StreamEvents) {
    this.options = options;
    this.events = events;
    this.role = options.role;
  }

  /** As the real one: what cannot be sent comes back. */
  send(bytes: Uint8Array): void {
    if (this.state.state === "live") this.sent.push(bytes);
    else this.events.undelivered?.({ bytes, delivered: null, why: "offline" });
  }
  attach(): void {
    this.calls.push(["attach"]);
  }
  async detach(): Promise<void> {
    this.calls.push(["detach"]);
    this.become({ state: "detached" });
  }
  cancelInput(): void {
    this.calls.push(["cancelInput"]);
  }
  parsed(stream: number, seq: number): void {
    this.calls.push(["parsed", stream, seq]);
  }
  setRole(role: StreamRole): void {
    this.calls.push(["setRole", role]);
  }
  setView(view: unknown): void {
    this.calls.push(["setView", view]);
  }
  takeSize(size: unknown): void {
    this.calls.push(["takeSize", size]);
  }
  releaseSize(): void {
    this.calls.push(["releaseSize"]);
  }
  setExclusive(on: boolean): void {
    this.calls.push(["setExclusive", on]);
  }
  askControl(): void {
    this.calls.push(["askControl"]);
  }
  answerControl(ask: number, answer: string): void {
    this.calls.push(["answerControl", ask, answer]);
  }
  setFocus(on: boolean): void {
    this.calls.push(["setFocus", on]);
  }
  sendHash(stream: number, at: number, value: string): void {
    this.calls.push(["sendHash", stream, at, value]);
  }

  become(state: StreamState): void {
    this.state = state;
    this.events.state?.(state);
  }

  /** Attaches and is live at once, as a resumed stream is. */
  goLive(stream: number, next = 0): void {
    const size = { cols: 80, rows: 24 };
    this.become({ state: "attaching", stream, next: null });
    const attached: Attached = {
      t: "attached",
      stream,
      sessionId: this.options.session,
      start: "live",
      seq: next,
      snapshotBytes: 0,
      skipped: 0,
      role: this.role,
      size,
      inputReceived: 0,
    };
    this.events.attached?.(attached);
    this.become({ state: "live", stream, next, role: this.role, size });
  }
}

export class FakeLink implements AgentLink {
  state: ConnectionState = { state: "idle" };
  agent: AgentHello | null = null;
  roundTripMs: number | null = null;
  readonly streams: FakeStream[] = [];
  readonly requests: { type: RequestType; fields: unknown }[] = [];
  /** Answers requests; by default none can be reached. */
  answer: (type: RequestType, fields: unknown) => Result<unknown> = () => fail("offline", "nobody is there");
  reconnects = 0;
  closed = false;
  readonly #handlers = new Set<(state: ConnectionState) => void>();
  readonly #watchers = new Set<WatchEvents>();

  onState(handler: (state: ConnectionState) => void): () => void {
    this.#handlers.add(handler);
    return () => this.#handlers.delete(handler);
  }
  open(): void {
    this.become({ state: "connecting", attempt: 0 });
  }
  reconnect(): void {
    this.reconnects++;
  }
  async request<T extends RequestType>(type: T, fields: RequestFields<T>): Promise<Result<ReplyValue<T>>> {
    this.requests.push({ type, fields });
    return this.answer(type, fields) as Result<ReplyValue<T>>;
  }
  watch(events: WatchEvents): () => void {
    this.#watchers.add(events);
    return () => this.#watchers.delete(events);
  }
  stream(options: StreamOptions, events: StreamEvents): FakeStream {
    const stream = new FakeStream(options, events);
    this.streams.push(stream);
    return stream;
  }
  async close(): Promise<void> {
    this.closed = true;
  }

  become(state: ConnectionState): void {
    this.state = state;
    if ("agent" in state) this.agent = state.agent;
    for (const handler of this.#handlers) handler(state);
  }
  goLive(agent: AgentHello = fakeAgent): void {
    this.become({ state: "live", agent });
  }
  tellSessions(entries: SessionEntry[]): void {
    for (const watcher of this.#watchers) watcher.sessions(entries);
  }
  tellChange(change: "added" | "changed" | "removed", entry: SessionEntry): void {
    for (const watcher of this.#watchers) watcher.changed(change, entry);
  }
}
