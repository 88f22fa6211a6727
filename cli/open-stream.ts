/**
 * A stream of one session for a command without a pane. Owns turning the stream's events into two outcomes: attached or not, and how it
 * ended. Output of a stream that nobody looks at is taken off at once, so that it is never in the way of anything.
 */
import { randomBytes } from "node:crypto";
import type { Stream, StreamEvents, StreamOptions, StreamState } from "../client/stream.js";
import { type Failure, failure, ok, type Result } from "../protocol/errors.js";
import type { Attached } from "../protocol/messages.js";
import type { ExitStatus } from "../protocol/values.js";
import type { Reach } from "./reach.js";

export interface OpenStream {
  readonly stream: Stream;
  /** First confirmation, or why there is none. */
  readonly attached: Promise<Result<Attached>>;
  /** How the session ended, or why the stream did. Pending while it goes on, also over broken links. */
  readonly over: Promise<Result<ExitStatus>>;
  /** Id of the stream as of now, for `parsed`. */
  id(): number;
}

export function openStream(at: Reach, options: Omit<StreamOptions, "holder">, events: StreamEvents = {}): OpenStream {
  const attached = deferred<Result<Attached>>();
  const over = deferred<Result<ExitStatus>>();
  const end = (result: Result<ExitStatus>): void => {
    over.resolve(result);
    attached.resolve(result.ok ? { ok: false, error: failure("ended", "The session has ended.") } : result);
  };
  const id = (): number => ("stream" in stream.state ? stream.state.stream : 0);
  const stream = at.connection.stream(
    { ...options, holder: randomBytes(16).toString("hex") },
    {
      data: (seq, bytes) => stream.parsed(id(), seq + bytes.length),
      ...events,
      attached: (message) => {
        events.attached?.(message);
        attached.resolve(ok(message));
      },
      state: (state) => {
        events.state?.(state);
        const outcome = outcomeOf(state);
        if (outcome !== null) end(outcome);
      },
    },
  );
  at.onGone((error) => end({ ok: false, error }));
  stream.attach();
  return { stream, attached: attached.promise, over: over.promise, id };
}

/** Sends and waits until the pty took it, or will not. */
export function sendInput(stream: Stream, bytes: Uint8Array): Promise<Result<null>> {
  return new Promise((resolve) => {
    stream.send(bytes, (outcome) => resolve(outcome.ok ? ok(null) : { ok: false, error: outcome.error }));
  });
}

/** Standard input is read on while less than this waits for the session's terminal. */
const underWay = 256 * 1024;

/** Types standard input to its end, at the pace of the session's terminal. The value: how many bytes it took. */
export async function sendStandardInput(stream: Stream): Promise<Result<number>> {
  let total = 0;
  let waiting = 0;
  let failed: Result<never> | null = null;
  let wake = (): void => {};
  const until = (condition: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      wake = () => {
        if (condition()) resolve();
      };
      wake();
    });
  for await (const chunk of process.stdin) {
    const bytes: Uint8Array = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    total += bytes.length;
    waiting += bytes.length;
    void sendInput(stream, bytes).then((sent) => {
      waiting -= bytes.length;
      if (!sent.ok) failed ??= sent;
      wake();
    });
    await until(() => failed !== null || waiting < underWay);
    if (failed !== null) return failed;
  }
  await until(() => failed !== null || waiting === 0);
  return failed ?? ok(total);
}

function outcomeOf(state: StreamState): Result<ExitStatus> | null {
  if (state.state === "failed") return { ok: false, error: state.error };
  if (state.state !== "ended") return null;
  return state.reason === "exit" ? ok(state.status) : { ok: false, error: restarted() };
}

function restarted(): Failure {
  return failure("agent-restarted", "The agent was started again, and its sessions ended with it. Start a new one.");
}

function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
