/**
 * `muxdeck tail`: a session's output as it was printed, byte for byte, or as text. Owns where to begin and to stop, and telling gaps on
 * stderr. Never prints a screen in place of output.
 */
import { fail, ok, type Result } from "../../protocol/errors.js";
import type { SessionEntry } from "../../protocol/values.js";
import { LineSplitter } from "../../sdk/lines.js";
import { readCount } from "../arguments.js";
import { type Call, type Command, done, withSession } from "../command.js";
import { say } from "../failures.js";
import { type OpenStream, openStream } from "../open-stream.js";
import { output } from "../output.js";
import type { Reach } from "../reach.js";

export const command: Command = {
  usage: "tail S [--from SEQ|oldest|now] [--follow] [--text] [--all]",
  summary: "Prints a session's output: raw, or as text. Gaps are told on stderr.",
  details:
    "Without --follow it stops at the end as of its start. --all slows the program so that nothing is skipped, unless the reader stands still for 5 s.",
  options: { from: "text", follow: "flag", text: "flag", all: "flag" },
  words: [1, 1],
  run: async (call) => {
    const from = readFrom(call.arguments.text("from") ?? "oldest");
    if (!from.ok) return from;
    return withSession(call, (at, entry) => tail(call, at, entry, from.value));
  },
};

function readFrom(text: string): Result<"oldest" | "now" | number> {
  if (text === "oldest" || text === "now") return ok(text);
  const seq = readCount("from", text);
  return seq.ok ? seq : fail("invalid", `--from takes a sequence, oldest or now, not "${text}".`);
}

async function tail(call: Call, at: Reach, entry: SessionEntry, from: "oldest" | "now" | number): Promise<Result<number>> {
  const follow = call.arguments.has("follow");
  if (typeof from === "number" && from > entry.output) {
    return fail("invalid", `${entry.name} has printed ${entry.output} bytes so far. Give --from no more than that.`);
  }
  const end = follow ? Number.POSITIVE_INFINITY : entry.output;
  const write = writer(call);
  let reached: (result: Result<null>) => void = () => {};
  const stop = new Promise<Result<null>>((resolve) => {
    reached = resolve;
  });
  const gap = (first: number, next: number): void => {
    write.gap(first, next);
    if (next >= end) reached(ok(null));
  };
  let position = typeof from === "number" ? from : 0;
  const opened: OpenStream = openStream(
    at,
    {
      session: entry.sessionId,
      role: call.arguments.has("all") ? "operator" : "observer",
      view: null,
      from,
      scrollback: "none",
      onLag: call.arguments.has("all") ? "pace" : "skip",
    },
    {
      attached: ({ seq }) => {
        position = Math.max(position, seq);
        if (position >= end) reached(ok(null));
      },
      data: (seq, bytes) => {
        const next = seq + bytes.length;
        position = next;
        const kept = next > end ? bytes.subarray(0, Math.max(0, end - seq)) : bytes;
        void write.bytes(seq, kept).then(() => opened.stream.parsed(opened.id(), next));
        if (next >= end) reached(ok(null));
      },
      // The screen itself is not output: only what it stands for counts, as missing.
      screen: ({ at: next, skipped }) => {
        if (skipped > 0) gap(next - skipped, next);
        position = next;
      },
      gap,
    },
  );
  const over = opened.over.then((result): Result<null> => (result.ok ? ok(null) : result));
  const result = await Promise.race([stop, over]);
  await write.end();
  if (!result.ok) return result;
  await opened.stream.detach();
  return done;
}

interface Writer {
  /** Resolves when the bytes were taken: only then does the agent send on. */
  bytes(seq: number, bytes: Uint8Array): Promise<void>;
  gap(from: number, to: number): void;
  end(): Promise<void>;
}

function writer({ arguments: given, json }: Call): Writer {
  const lines = given.has("text") ? new LineSplitter() : null;
  const out = output();
  const print = (all: readonly string[]): Promise<void> =>
    all.length === 0 ? out.flushed() : out.write(all.map((line) => `${json ? JSON.stringify({ text: line }) : line}\n`).join(""));
  return {
    bytes: (seq, bytes) => {
      if (lines !== null) return print(lines.push(bytes));
      if (!json) return out.write(bytes);
      return out.write(`${JSON.stringify({ seq, data: Buffer.from(bytes).toString("base64") })}\n`);
    },
    gap: (from, to) => {
      if (lines !== null) void print(lines.end());
      say(
        json ? JSON.stringify({ gap: { from, to, bytes: to - from } }) : `muxdeck: ${to - from} bytes are missing here (${from} to ${to}).`,
      );
    },
    end: () => (lines === null ? out.flushed() : print(lines.end())),
  };
}
