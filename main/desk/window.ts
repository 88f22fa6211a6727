/**
 * One page and its link: checks every message against its schema, answers requests, and carries the page's panes. Owns what may be said
 * before the hello (nothing) and what a bad message does (dropped, counted, answered when it can be). Decides nothing about files, windows
 * of the system or addresses: it asks the desk.
 */
import type { WindowLayout } from "../../link/layout.js";
import {
  type DeskMessage,
  type HelloReply,
  type LinkReplies,
  type LinkRequest,
  type LinkRequestType,
  type PageMessage,
  type PaneMessage,
  pageMessageSchema,
} from "../../link/messages.js";
import type { Settings } from "../../link/settings.js";
import { fail, failure, ok, type Result } from "../../protocol/errors.js";
import { decodeFrame } from "../../protocol/frame.js";
import type { Clock, Transport } from "../../transport/transport.js";
import type { Drafts } from "./draft.js";
import type { Machines } from "./machines.js";
import { Outbox } from "./outbox.js";
import { Pane } from "./pane.js";

/** Panes of one window at the most; each holds a stream of its agent. */
const maxPanes = 1024;

/** What a window asks of its desk. */
export interface WindowDesk {
  readonly machines: Machines;
  readonly drafts: Drafts;
  readonly clock: Clock;
  /** Environment for new sessions on this machine. */
  readonly sessionEnv: Record<string, string>;
  /** Gives the window its id and what a page needs for its first frame. */
  hello(window: DeskWindow, asked: string | null): Promise<HelloReply>;
  settings(): Settings;
  saveSettings(settings: Settings): Promise<Result<Record<string, never>>>;
  saveLayout(windowId: string, layout: WindowLayout): void;
  openWindow(): Promise<Result<Record<string, never>>>;
  openLink(url: string): Promise<Result<Record<string, never>>>;
  /** A pane with this holder opens in this window: one that any window still has is over. */
  claimHolder(holder: string, window: DeskWindow): void;
  gone(window: DeskWindow): void;
}

export class DeskWindow {
  /** Set by the desk at the hello. */
  windowId: string | null = null;
  readonly #desk: WindowDesk;
  readonly #transport: Transport;
  readonly #outbox: Outbox;
  readonly #panes = new Map<number, Pane>();
  #state: "new" | "greeting" | "open" | "closed" = "new";
  #refused = 0;

  constructor(transport: Transport, desk: WindowDesk) {
    this.#transport = transport;
    this.#desk = desk;
    this.#outbox = new Outbox(transport);
    transport.listen({
      frame: (frame) => this.#frame(frame),
      drain: () => this.#outbox.drain(),
      closed: () => this.#closed(),
    });
  }

  /** Messages and frames that were dropped because they were not what a page may say. */
  get refused(): number {
    return this.#refused;
  }

  get open(): boolean {
    return this.#state === "open";
  }

  /** News for the page; dropped before its hello, whose reply carries the same facts. */
  tell(message: DeskMessage): void {
    if (this.#state !== "open") return;
    if (message.t === "machines") this.#tellMachines(message);
    else this.#outbox.message(message);
  }

  /** Ends a pane of this window whose holder opened elsewhere. */
  releaseHolder(holder: string): void {
    for (const [number, pane] of this.#panes) {
      if (pane.holder !== holder) continue;
      this.#panes.delete(number);
      pane.takenOver();
    }
  }

  /** Says goodbye to the page: the desk ends, or another page took this window over. */
  close(): void {
    this.#transport.close();
  }

  #frame(bytes: Uint8Array): void {
    const frame = decodeFrame(bytes);
    switch (frame.kind) {
      case "control":
        this.#control(frame.json);
        break;
      case "input": {
        const pane = this.#panes.get(frame.stream);
        // A copy: the stream keeps input until it is acknowledged, and a frame may be a view.
        if (pane === undefined) this.#refused++;
        else pane.input(frame.bytes.slice());
        break;
      }
      case "unknown":
        break;
      case "data":
      case "snapshot":
      case "refused":
        this.#refused++;
    }
  }

  #control(json: string): void {
    const content = parseJson(json);
    const message = pageMessageSchema.safeParse(content);
    if (message.success && this.#state === "open") this.#dispatch(message.data);
    else if (message.success && this.#state === "new" && message.data.t === "hello") void this.#hello(message.data);
    else this.#refuse(content);
  }

  #refuse(content: unknown): void {
    this.#refused++;
    const id = typeof content === "object" && content !== null && "id" in content ? content.id : null;
    if (typeof id !== "number" || !Number.isSafeInteger(id) || id < 1 || id > 0xffffffff) return;
    this.#reply(id, fail("invalid", "The desk did not understand this request. Nothing was done."));
  }

  async #hello(request: LinkRequest<"hello">): Promise<void> {
    this.#state = "greeting";
    const reply = await this.#desk.hello(this, request.windowId);
    if (this.#state !== "greeting") return;
    this.#state = "open";
    // Lists of thousands of sessions do not fit into the reply's frame; they follow cut to what fits.
    if (this.#reply(request.id, ok(reply))) return;
    this.#reply(request.id, ok({ ...reply, machines: reply.machines.map((machine) => ({ ...machine, sessions: [] })) }));
    this.#tellMachines({ t: "machines", machines: reply.machines });
  }

  #dispatch(message: PageMessage): void {
    switch (message.t) {
      case "pane-open":
        this.#openPane(message);
        break;
      case "pane-close":
        this.#closePane(message.pane);
        break;
      case "reconnect": {
        const link = this.#desk.machines.link(message.machine);
        if (link.ok) link.value.reconnect();
        break;
      }
      case "pane-role":
      case "pane-view":
      case "pane-focus":
      case "pane-take-size":
      case "pane-release-size":
      case "pane-exclusive":
      case "pane-ask-control":
      case "pane-answer-control":
      case "pane-input-cancel":
      case "pane-parsed":
      case "pane-hash":
      case "pane-draft":
        this.#panes.get(message.pane)?.handle(message);
        break;
      default:
        void this.#answer(message);
    }
  }

  #openPane(open: PaneMessage<"pane-open">): void {
    const link = this.#desk.machines.link(open.machine);
    const refused = this.#panes.has(open.pane)
      ? failure("invalid", "This pane is open already.")
      : this.#panes.size >= maxPanes
        ? failure("limit", `A window shows at most ${maxPanes} panes. Close some first.`)
        : link.ok
          ? null
          : link.error;
    if (refused !== null || !link.ok) {
      this.#outbox.message({
        t: "pane-state",
        pane: open.pane,
        state: { state: "failed", error: refused ?? failure("not-found", "This machine is not known here.") },
      });
      return;
    }
    this.#desk.claimHolder(open.holder, this);
    const pane = new Pane({
      open,
      link: link.value,
      draft: this.#desk.drafts.of(open.holder),
      clock: this.#desk.clock,
      output: {
        message: (message) => this.#outbox.message(message),
        bytes: (kind, number, position, bytes) => this.#outbox.bytes(kind, number, position, bytes),
      },
    });
    this.#panes.set(open.pane, pane);
  }

  #closePane(number: number): void {
    const pane = this.#panes.get(number);
    this.#panes.delete(number);
    this.#outbox.drop(number);
    void pane?.close();
  }

  async #answer(request: LinkRequest): Promise<void> {
    const result = await this.#ask(request);
    if (this.#state === "open") this.#reply(request.id, result);
  }

  /** One request, one answer of the type that link/messages.ts says. */
  async #ask(request: LinkRequest): Promise<Result<LinkReplies[LinkRequestType]>> {
    switch (request.t) {
      case "hello":
        return fail("invalid", "This page said hello already.");
      case "layout-save":
        if (this.windowId !== null) this.#desk.saveLayout(this.windowId, request.layout);
        return ok({});
      case "settings-save":
        return this.#desk.saveSettings(request.settings);
      case "window-new":
        return this.#desk.openWindow();
      case "open-link":
        return this.#desk.openLink(request.url);
      case "session-new":
      case "session-rename":
      case "session-signal":
      case "session-kill":
      case "session-dismiss":
        return this.#askAgent(request);
    }
  }

  async #askAgent(
    request: LinkRequest<"session-new" | "session-rename" | "session-signal" | "session-kill" | "session-dismiss">,
  ): Promise<Result<LinkReplies[LinkRequestType]>> {
    const found = this.#desk.machines.link(request.machine);
    if (!found.ok) return found;
    const link = found.value;
    switch (request.t) {
      case "session-new": {
        const configured = this.#desk.settings()["terminal.command"];
        return link.request("new", {
          name: request.name,
          command: request.command ?? (configured.length > 0 ? configured : null),
          cwd: request.cwd,
          env: this.#desk.sessionEnv,
          size: request.size,
        });
      }
      case "session-rename":
        return withoutValue(await link.request("rename", { session: request.session, name: request.name }));
      case "session-signal":
        return withoutValue(await link.request("signal", { session: request.session, signal: request.signal }));
      case "session-kill":
        return withoutValue(await link.request("kill", { session: request.session }));
      case "session-dismiss":
        return withoutValue(await link.request("dismiss", { session: request.session }));
    }
  }

  #reply(id: number, result: Result<unknown>): boolean {
    return this.#outbox.message({ t: "reply", id, result });
  }

  /** Cuts the lists until they fit into one frame: ended sessions first, then the quietest. The page says how many it lists. */
  #tellMachines(message: Extract<DeskMessage, { t: "machines" }>): void {
    let machines = message.machines;
    while (!this.#outbox.message({ t: "machines", machines })) {
      machines = machines.map((machine) => ({
        ...machine,
        sessions: [...machine.sessions]
          .sort((a, b) => Number(a.state === "ended") - Number(b.state === "ended") || a.idleMs - b.idleMs)
          .slice(0, Math.floor(machine.sessions.length / 2)),
      }));
    }
  }

  #closed(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    for (const pane of this.#panes.values()) void pane.close();
    this.#panes.clear();
    this.#desk.gone(this);
  }
}

function withoutValue(result: Result<unknown>): Result<Record<string, never>> {
  return result.ok ? ok({}) : result;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
