/**
 * One pane of a window: its stream to a session on one side, frames to the page on the other, in exactly the stream's order. Keeps no
 * output: what the page has not parsed is bounded by the credit that only the page gives. Input that could not be sent becomes the pane's
 * draft.
 */
import type { ConnectionState } from "../../client/connection.js";
import type { StreamEvents, StreamState } from "../../client/stream.js";
import type { DeskMessage, PaneMessage, PaneState } from "../../link/messages.js";
import { failure } from "../../protocol/errors.js";
import { maxFrameBytes } from "../../protocol/frame.js";
import type { Clock } from "../../transport/transport.js";
import type { AgentLink, PaneStream } from "./agent-link.js";
import { type Draft, draftBytes } from "./draft.js";

/** What a pane says to its page. `bytes` are sent at once and may be views. */
export interface PaneOutput {
  message(message: DeskMessage): void;
  bytes(kind: "data" | "snapshot", pane: number, position: number, bytes: Uint8Array): void;
}

export interface PaneOptions {
  open: PaneMessage<"pane-open">;
  link: AgentLink;
  draft: Draft;
  clock: Clock;
  output: PaneOutput;
}

export class Pane {
  readonly holder: string;
  readonly #pane: number;
  readonly #link: AgentLink;
  readonly #draft: Draft;
  readonly #clock: Clock;
  readonly #output: PaneOutput;
  readonly #stream: PaneStream;
  readonly #offState: () => void;
  #streamId: number | null = null;
  /** The stream was live once: from then on a pane is reconnecting, not starting. */
  #wasLive = false;
  #wasSuspended = false;
  #told = "";
  #closed = false;

  constructor(options: PaneOptions) {
    const { open, link } = options;
    this.holder = open.holder;
    this.#pane = open.pane;
    this.#link = link;
    this.#draft = options.draft;
    this.#clock = options.clock;
    this.#output = options.output;
    this.#stream = link.stream(
      {
        session: open.session,
        role: open.role,
        holder: open.holder,
        view: open.view,
        from: "screen",
        scrollback: open.scrollback,
        onLag: "skip",
      },
      this.#events(),
    );
    this.#offState = link.onState(() => this.#tellState());
    if (this.#draft.text !== "") this.#tellDraft();
    this.#stream.attach();
    this.#tellState();
  }

  /** Typed bytes. The stream hands back what it cannot send now. */
  input(bytes: Uint8Array): void {
    if (!this.#closed) this.#stream.send(bytes);
  }

  /** Everything a page says about this pane but opening and closing it. */
  handle(message: Exclude<PaneMessage, { t: "pane-open" | "pane-close" | "reconnect" }>): void {
    if (this.#closed) return;
    const stream = this.#stream;
    switch (message.t) {
      case "pane-role":
        stream.setRole(message.role);
        break;
      case "pane-view":
        stream.setView(message.view);
        break;
      case "pane-focus":
        stream.setFocus(message.on);
        break;
      case "pane-take-size":
        stream.takeSize(null);
        break;
      case "pane-release-size":
        stream.releaseSize();
        break;
      case "pane-exclusive":
        stream.setExclusive(message.on);
        break;
      case "pane-ask-control":
        stream.askControl();
        break;
      case "pane-answer-control":
        stream.answerControl(message.ask, message.answer);
        break;
      case "pane-input-cancel":
        stream.cancelInput();
        break;
      case "pane-parsed":
        stream.parsed(message.stream, message.seq);
        break;
      case "pane-hash":
        stream.sendHash(message.stream, message.at, message.value);
        break;
      case "pane-draft":
        this.#handleDraft(message);
        break;
    }
  }

  /** Detaches, after input under way was written. Nothing more goes to the page. */
  close(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    this.#closed = true;
    this.#offState();
    return this.#stream.detach();
  }

  /** Another pane took over this one's holder: the page is told why its pane stands still. */
  takenOver(): void {
    if (this.#closed) return;
    const error = failure("busy", "This pane is shown in another window now.");
    this.#output.message({ t: "pane-state", pane: this.#pane, state: { state: "failed", error } });
    void this.close();
  }

  #events(): StreamEvents {
    const say = (message: DeskMessage) => {
      if (!this.#closed) this.#output.message(message);
    };
    const pane = this.#pane;
    return {
      state: () => this.#tellState(),
      attached: ({ role }) => say({ t: "pane-role", pane, role, refused: null }),
      screen: ({ at, size, chunks, skipped, gap }) => {
        if (this.#closed) return;
        let offset = 0;
        for (const chunk of chunks) offset = this.#sendBytes("snapshot", offset, chunk);
        this.#output.message({ t: "pane-screen", pane, at, size, skipped, gap });
      },
      data: (seq, bytes) => {
        if (!this.#closed) this.#sendBytes("data", seq, bytes);
      },
      resized: (at, size) => say({ t: "pane-resized", pane, at, size }),
      role: (role) => say({ t: "pane-role", pane, role, refused: null }),
      refused: (error) => say({ t: "pane-role", pane, role: this.#stream.role, refused: error }),
      driver: (driver) => say({ t: "pane-driver", pane, ...driver }),
      behind: (behind) => say({ t: "pane-behind", pane, ...behind }),
      verified: (at) => say({ t: "pane-verified", pane, at }),
      controlAsked: (asked) => say({ t: "pane-control-asked", pane, ...asked }),
      controlAnswered: (answer) => say({ t: "pane-control-answered", pane, answer }),
      undelivered: ({ bytes, delivered, why }) => {
        // Cancelled by the user, or typed where nothing may be typed: keeping it would only offer what was just turned away.
        if (why === "cancelled" || (why === "refused" && delivered === null)) return;
        this.#draft.add(bytes, delivered);
        this.#tellDraft();
      },
    };
  }

  /** In frames of the largest size at most; returns the position after the last byte. */
  #sendBytes(kind: "data" | "snapshot", position: number, bytes: Uint8Array): number {
    for (let at = 0; at < bytes.length; at += maxFrameBytes) {
      this.#output.bytes(kind, this.#pane, position + at, bytes.subarray(at, at + maxFrameBytes));
    }
    return position + bytes.length;
  }

  #handleDraft(message: PaneMessage<"pane-draft">): void {
    if (message.do === "send") {
      // Sending is off until the pane is live; a draft must not become a draft of itself.
      if (this.#stream.state.state === "live" && this.#link.state.state === "live") {
        const text = message.text ?? this.#draft.text;
        this.#draft.clear();
        if (text !== "") this.#stream.send(draftBytes(text));
      }
    } else {
      this.#draft.clear();
    }
    this.#tellDraft();
  }

  #tellDraft(): void {
    if (this.#closed) return;
    this.#output.message({ t: "pane-draft", pane: this.#pane, text: this.#draft.text, delivered: this.#draft.delivered });
  }

  #tellState(): void {
    if (this.#closed) return;
    const state = this.#stream.state;
    this.#noteState(state);
    const shown = paneState(state, this.#link.state, {
      now: this.#clock.now(),
      starting: !this.#wasLive,
      suspended: this.#wasSuspended,
    });
    if (shown === null) return;
    const text = JSON.stringify(shown);
    if (text === this.#told) return;
    this.#told = text;
    this.#output.message({ t: "pane-state", pane: this.#pane, state: shown });
  }

  /** A fresh stream id comes with each attach; what the page parses and hashes from now on belongs to it. */
  #noteState(state: StreamState): void {
    if ("stream" in state && state.stream !== this.#streamId) {
      this.#streamId = state.stream;
      this.#output.message({ t: "pane-stream", pane: this.#pane, stream: state.stream });
    }
    if (state.state === "live") {
      this.#wasLive = true;
      this.#wasSuspended = false;
    } else if (state.state === "suspended" && this.#wasLive) {
      this.#wasSuspended = true;
    }
  }
}

/**
 * The stream's and the connection's states in the page's words (interface, "Stream states map so"). Null: nothing to show, the pane is
 * closing.
 */
export function paneState(
  stream: StreamState,
  link: ConnectionState,
  more: { now: number; starting: boolean; suspended: boolean },
): PaneState | null {
  switch (stream.state) {
    case "detached":
      return null;
    case "ended":
      return stream.reason === "exit"
        ? { state: "ended", exit: stream.status, reason: "exit" }
        : { state: "ended", exit: null, reason: "agent-restarted" };
    case "failed":
      return { state: "failed", error: stream.error };
    case "live":
      if (link.state === "stale") return { state: "stale", silentMs: Math.max(0, more.now - link.since) };
      return { state: "live" };
    case "attaching":
    case "replaying":
      if (more.starting) return { state: "starting" };
      return more.suspended ? { state: "reconnecting", attempt: attemptOf(link), nextTryMs: null } : { state: "live" };
    case "suspended":
      if (link.state === "lost") return { state: "lost", error: link.error };
      if (stream.error !== null && stream.error.retry === "never") return { state: "lost", error: stream.error };
      if (link.state === "waiting") {
        return { state: "reconnecting", attempt: link.attempt, nextTryMs: Math.max(0, link.nextTryAt - more.now) };
      }
      return more.starting ? { state: "starting" } : { state: "reconnecting", attempt: attemptOf(link), nextTryMs: null };
  }
}

function attemptOf(link: ConnectionState): number {
  return "attempt" in link ? link.attempt : 0;
}
