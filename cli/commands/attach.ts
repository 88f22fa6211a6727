/**
 * `muxdeck attach`: this terminal becomes a view of a session until it ends or is left. Owns the way of keys and output, and what is told
 * at the end. Every key goes to the session but the detach keys; the session is never ended by leaving.
 */
import { failure, ok, type Result } from "../../protocol/errors.js";
import type { ExitStatus, SessionEntry, View } from "../../protocol/values.js";
import { type Call, type Command, withSession } from "../command.js";
import { DetachKeys, defaultDetachKey, readDetachKey } from "../detach-keys.js";
import { exitCodeOfStatus, say, statusText } from "../failures.js";
import { LocalTerminal } from "../local-terminal.js";
import { type OpenStream, openStream, sendStandardInput } from "../open-stream.js";
import { output, writeJson } from "../output.js";
import { printable } from "../printable.js";
import type { Reach } from "../reach.js";
import { TerminalModes } from "../terminal-modes.js";

/** A terminal that does not take its last output holds up the end no longer than this. */
const lastOutputMs = 2000;

/** When a signal ends this program, the agent is told, so that the size is free at once; but not for longer than this. */
const goodbyeMs = 300;

type Left = { how: "ended"; status: ExitStatus } | { how: "detached" };

export const command: Command = {
  usage: "attach S [--observe] [--detach-key K]",
  summary: "Shows a session in this terminal. Ctrl+] then d leaves it; Ctrl+] twice sends Ctrl+].",
  details: "The exit code is the session's when it ends. Piped input is typed, and its end leaves the session.",
  options: { observe: "flag", "detach-key": "text" },
  words: [1, 1],
  run: async (call) => {
    const text = call.arguments.text("detach-key");
    const key = text === null ? ok(defaultDetachKey) : readDetachKey(text);
    if (!key.ok) return key;
    return withSession(call, (at, entry) => attach(call, at, entry, key.value));
  },
};

async function attach(call: Call, at: Reach, entry: SessionEntry, key: number): Promise<Result<number>> {
  const modes = new TerminalModes();
  const terminal = new LocalTerminal(modes);
  const out = output();
  const observe = call.arguments.has("observe");
  let undelivered = 0;
  let refusal: string | null = null;
  const opened = openStream(
    at,
    {
      session: entry.sessionId,
      role: observe ? "observer" : "operator",
      view: viewOf(terminal),
      from: "screen",
      // Only the screen: it is drawn anew after each change of size, and this terminal keeps its own scrollback.
      scrollback: terminal.size === null ? "none" : 0,
      onLag: "skip",
    },
    {
      // At once: the screen that follows must find the terminal taken.
      attached: ({ role }) => {
        if (role === "observer" && !observe) say(`muxdeck: you may watch ${printable(entry.name)}, not type.`);
        terminal.take({
          again: () =>
            void opened.stream.detach({ flushMs: goodbyeMs }).then(() => opened.stream.attach({ from: "screen", view: viewOf(terminal) })),
          ended: (code) => void sayGoodbye(opened).then(() => process.exit(code)),
        });
      },
      screen: ({ chunks }) => {
        const bytes = Buffer.concat(chunks);
        // A screen begins with a full reset, which would take this terminal's scrollback with it.
        const drawn = terminal.size !== null && bytes[0] === 0x1b && bytes[1] === 0x63 ? bytes.subarray(2) : bytes;
        if (terminal.size !== null) void out.write(modes.clean());
        modes.saw(drawn);
        void out.write(drawn);
      },
      data: (seq, bytes) => {
        modes.saw(bytes);
        void out.write(bytes).then(() => opened.stream.parsed(opened.id(), seq + bytes.length));
      },
      undelivered: ({ bytes, why }) => {
        if (why === "refused" && observe) return;
        undelivered += bytes.length;
        void out.write("\x07");
      },
      refused: (error) => {
        refusal = error.message;
        void out.write("\x07");
      },
    },
  );
  const attached = await opened.attached;
  if (!attached.ok && attached.error.code !== "ended") return attached;
  terminal.onResize(() => {
    const view = viewOf(terminal);
    if (view !== null) opened.stream.setView(view);
  });
  const typing = process.stdin.isTTY ? typed(opened, modes, key) : piped(opened);
  const over = opened.over.then((result): Result<Left> => (result.ok ? ok({ how: "ended", status: result.value }) : result));
  const left = await Promise.race([over, typing]);
  process.stdin.pause();
  if (left.ok && left.value.how === "detached") await opened.stream.detach();
  await Promise.race([out.flushed(), new Promise((resolve) => setTimeout(resolve, lastOutputMs))]);
  terminal.release();
  if (refusal !== null) say(`muxdeck: ${printable(refusal)}`);
  if (undelivered > 0) say(`muxdeck: ${undelivered} bytes of what you typed were not delivered.`);
  if (!left.ok) return left;
  return end(call, entry, left.value);
}

function sayGoodbye(opened: OpenStream): Promise<unknown> {
  return Promise.race([opened.stream.detach({ flushMs: goodbyeMs }), new Promise((resolve) => setTimeout(resolve, goodbyeMs))]);
}

async function end({ json }: Call, entry: SessionEntry, left: Left): Promise<Result<number>> {
  if (json)
    await writeJson({ sessionId: entry.sessionId, detached: left.how === "detached", exit: left.how === "ended" ? left.status : null });
  else if (left.how === "detached") say(`[detached from ${printable(entry.name)}]`);
  else say(`[${printable(entry.name)} ended: ${statusText(left.status)}]`);
  return ok(left.how === "ended" ? exitCodeOfStatus(left.status) : 0);
}

const unknownView: View = { cols: 80, rows: 24, cellWidth: 0, cellHeight: 0, colours: null, focused: true };

/** Null without a screen, or with one of unknown size: such a view decides no size. */
function viewOf(terminal: LocalTerminal): View | null {
  return terminal.sizeKnown ? { ...unknownView, ...terminal.size } : null;
}

/** Keys of a terminal: sent as they come; resolves when the detach keys were typed, or the terminal is gone. */
function typed(opened: OpenStream, modes: TerminalModes, key: number): Promise<Result<Left>> {
  const keys = new DetachKeys(key);
  return new Promise((resolve) => {
    process.stdin.on("data", (chunk) => {
      const { bytes, detach } = keys.typed(withoutFocusReports(opened, modes, typeof chunk === "string" ? Buffer.from(chunk) : chunk));
      if (bytes.length > 0 && opened.stream.role === "operator") opened.stream.send(bytes);
      if (detach) resolve(ok({ how: "detached" }));
    });
    process.stdin.on("end", () => resolve(ok({ how: "detached" })));
    process.stdin.on("error", () => resolve({ ok: false, error: failure("offline", "The terminal is gone. The session goes on.") }));
  });
}

/** A terminal tells its focus as keys; the agent is told in words, and tells the program once for all clients. */
function withoutFocusReports(opened: OpenStream, modes: TerminalModes, chunk: Uint8Array): Uint8Array {
  const text = Buffer.from(chunk).toString("latin1");
  if (!modes.focusReports || !/\x1b\[[IO]/.test(text)) return chunk;
  opened.stream.setFocus(text.lastIndexOf("\x1b[I") > text.lastIndexOf("\x1b[O"));
  return Buffer.from(text.replace(/\x1b\[[IO]/g, ""), "latin1");
}

/** Standard input that is no terminal: typed as it is; its end leaves the session once everything was taken. */
async function piped(opened: OpenStream): Promise<Result<Left>> {
  if (opened.stream.role !== "operator") {
    // Nothing of it may be typed, but its end still leaves.
    for await (const _chunk of process.stdin);
    return ok({ how: "detached" });
  }
  const sent = await sendStandardInput(opened.stream);
  return sent.ok ? ok({ how: "detached" }) : sent;
}
