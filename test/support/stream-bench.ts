/**
 * One stream under test between a link that a test moves and a log of what its viewer was told. Owns the current stream, its link and its
 * log; `make` begins anew.
 */
import { Stream, type StreamOptions } from "../../client/stream.js";
import type { StreamLink } from "../../client/stream-link.js";
import { failure } from "../../protocol/errors.js";
import type { Attach, Attached, StreamMessage } from "../../protocol/messages.js";
import { ManualClock } from "./manual-clock.js";

export const size = { cols: 80, rows: 24 };
export const sessionId = "0123456789abcdef01234567";
export const bytes = (text: string) => new TextEncoder().encode(text);
export const text = (data: Uint8Array) => new TextDecoder().decode(data);

export class FakeLink implements StreamLink {
  readonly clock = new ManualClock();
  readonly random = () => 0.5;
  run: string | null = "run-1";
  answers = true;
  followed = false;
  held = new Set<number>();
  sent: StreamMessage[] = [];
  input: { stream: number; position: number; text: string }[] = [];
  #last = 0;

  claim(): number {
    this.held.add(++this.#last);
    return this.#last;
  }
  release(stream: number): void {
    this.held.delete(stream);
  }
  follow(_stream: unknown, on: boolean): void {
    this.followed = on;
  }
  send(message: StreamMessage): void {
    this.sent.push(message);
  }
  sendInput(stream: number, position: number, data: Uint8Array): void {
    this.input.push({ stream, position, text: text(data) });
  }
  /** Takes the messages of one kind that were sent so far. */
  take<T extends StreamMessage["t"]>(t: T): Extract<StreamMessage, { t: T }>[] {
    const found = this.sent.filter((message): message is Extract<StreamMessage, { t: T }> => message.t === t);
    this.sent = this.sent.filter((message) => message.t !== t);
    return found;
  }
}

export let link: FakeLink;
export let log: string[];
export let stream: Stream;

export function make(options: Partial<StreamOptions> = {}): void {
  link = new FakeLink();
  log = [];
  stream = new Stream(
    link,
    { session: "build", role: "operator", holder: "holder-1", view: null, from: "screen", scrollback: 100, onLag: "skip", ...options },
    {
      attached: (attached) => log.push(`attached ${attached.start} ${attached.seq}`),
      screen: ({ at, chunks, skipped, gap, reason }) => {
        log.push(`screen ${chunks.map(text).join("|")} at ${at} ${reason}${skipped ? ` skipped ${skipped}` : ""}${gap ? " gap" : ""}`);
      },
      data: (seq, data) => log.push(`data ${seq} ${text(data)}`),
      resized: (at, to) => log.push(`resized ${at} ${to.cols}x${to.rows}`),
      gap: (from, to) => log.push(`gap ${from}-${to}`),
      role: (role) => log.push(`role ${role}`),
      refused: (error) => log.push(`refused ${error.code}`),
      undelivered: (input) => log.push(`undelivered ${text(input.bytes)} ${input.delivered} ${input.why}`),
    },
  );
}

export function lastAttach(): Attach {
  const attach = link.take("attach").at(-1);
  if (!attach) throw new Error("nothing was attached");
  return attach;
}

export const id = () => ("stream" in stream.state ? stream.state.stream : 0);

export function confirm(more: Partial<Attached> = {}): void {
  stream.receive({
    t: "attached",
    stream: id(),
    sessionId,
    start: "resume",
    seq: 0,
    snapshotBytes: 0,
    skipped: 0,
    role: "operator",
    size,
    inputReceived: null,
    ...more,
  });
}

export function snapshot(data: string, at: number): void {
  stream.receiveSnapshot(0, bytes(data));
  stream.receive({ t: "snapshot-end", stream: id(), at, ...size });
}

export function live(at = 100): void {
  stream.attach();
  confirm({ start: "snapshot", seq: at, snapshotBytes: 6 });
  snapshot("\x1bchere", at);
  log = [];
}

/** A way into each state. */
export const states: [string, () => void][] = [
  ["detached", () => {}],
  ["attaching", () => stream.attach()],
  [
    "replaying",
    () => {
      stream.attach();
      confirm({ start: "snapshot", seq: 100, snapshotBytes: 5 });
    },
  ],
  ["live", () => live()],
  [
    "suspended",
    () => {
      live();
      drop();
    },
  ],
  [
    "ended",
    () => {
      live();
      stream.receive({ t: "exit", stream: id(), seq: 100, status: { code: 0 } });
    },
  ],
  [
    "failed",
    () => {
      stream.attach();
      stream.receive({ t: "error", stream: id(), error: failure("not-found", "No such session.") });
    },
  ],
];

export function drop(run: string | null = null): void {
  link.run = run;
  link.held.clear();
  stream.linkDown(failure("offline", "The link broke.", { scope: "connection", retry: "later" }));
}

export function back(run = "run-1"): void {
  link.run = run;
  stream.linkUp();
}
