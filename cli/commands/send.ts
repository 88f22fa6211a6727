/**
 * `muxdeck send`: types into a session; returns when its terminal has taken everything. Owns the order of text, keys and standard input,
 * and how much of a long input is under way at a time.
 */
import { type Failure, fail, ok, type Result } from "../../protocol/errors.js";
import type { SessionEntry } from "../../protocol/values.js";
import { encodeKey, keyNames } from "../../sdk/keys.js";
import type { Arguments } from "../arguments.js";
import { type Command, done, withSession } from "../command.js";
import { type OpenStream, openStream, sendInput, sendStandardInput } from "../open-stream.js";
import { writeJson } from "../output.js";
import { printable } from "../printable.js";
import type { Reach } from "../reach.js";

type Piece = { kind: "text"; text: string } | { kind: "key"; name: string } | { kind: "stdin" };

export const command: Command = {
  usage: "send S [TEXT] [--enter] [--key NAME]… [--stdin]",
  summary: "Types into a session; returns when its terminal has taken everything.",
  details: `Text, keys and standard input go out in the order given. Keys: ${keyNames}. Text that begins with a dash stands behind --.`,
  options: { enter: "flag", key: "texts", stdin: "flag" },
  words: [1, 2],
  run: async (call) => {
    const pieces = piecesOf(call.arguments);
    if (!pieces.ok) return pieces;
    return withSession(call, async (at, entry) => {
      const bytes = await send(at, entry, pieces.value);
      if (!bytes.ok) return bytes;
      if (call.json) await writeJson({ sessionId: entry.sessionId, bytes: bytes.value });
      return done;
    });
  },
};

function piecesOf(given: Arguments): Result<Piece[]> {
  const pieces: Piece[] = [];
  let words = 0;
  for (const one of given.order) {
    if ("word" in one) {
      words += 1;
      if (words === 2) pieces.push({ kind: "text", text: one.word });
    } else if (one.option === "enter") {
      pieces.push({ kind: "key", name: "Enter" });
    } else if (one.option === "key") {
      const name = one.value ?? "";
      if (encodeKey(name, { applicationCursorKeys: false }) === null) {
        return fail("invalid", `There is no key ${printable(name)}. Choose one of ${keyNames}.`);
      }
      pieces.push({ kind: "key", name });
    } else if (one.option === "stdin") {
      pieces.push({ kind: "stdin" });
    }
  }
  return pieces.length > 0 ? ok(pieces) : fail("invalid", `Nothing to send. Usage: muxdeck ${command.usage}`);
}

async function send(at: Reach, entry: SessionEntry, pieces: readonly Piece[]): Promise<Result<number>> {
  if (entry.state === "ended") return fail("ended", `${entry.name} has ended. Nothing was sent.`);
  // Programs choose how cursor keys are told to them; the screen knows.
  let applicationCursorKeys = false;
  if (pieces.some((piece) => piece.kind === "key" && piece.name.toLowerCase() !== "enter")) {
    const screen = await at.request("screen", { session: entry.sessionId, ansi: false });
    if (!screen.ok) return screen;
    applicationCursorKeys = screen.value.modes.applicationCursorKeys;
  }
  let refusal: Failure | null = null;
  const opened = openStream(
    at,
    { session: entry.sessionId, role: "operator", view: null, from: "now", scrollback: "none", onLag: "skip" },
    {
      refused: (error) => {
        refusal = error;
        // The rest would be refused one by one; what waits comes back at once.
        opened.stream.cancelInput();
      },
    },
  );
  const attached = await opened.attached;
  if (!attached.ok) return attached;
  if (attached.value.role !== "operator") return fail("not-permitted", `You may watch ${entry.name}, not type. Nothing was sent.`);
  let total = 0;
  for (const piece of pieces) {
    const sent =
      piece.kind === "stdin"
        ? await Promise.race([sendStandardInput(opened.stream), gone(opened)])
        : await sendWhole(opened, piece, applicationCursorKeys);
    if (!sent.ok) return refusal === null ? sent : { ok: false, error: refusal };
    total += sent.value;
  }
  await opened.stream.detach();
  return ok(total);
}

async function sendWhole(
  opened: OpenStream,
  piece: Exclude<Piece, { kind: "stdin" }>,
  applicationCursorKeys: boolean,
): Promise<Result<number>> {
  const text = piece.kind === "text" ? piece.text : (encodeKey(piece.name, { applicationCursorKeys }) ?? "");
  const bytes = Buffer.from(text);
  const sent = await Promise.race([sendInput(opened.stream, bytes), gone(opened)]);
  return sent.ok ? ok(bytes.length) : sent;
}

/** The stream will never take what waits. */
async function gone(opened: OpenStream): Promise<Result<never>> {
  const over = await opened.over;
  return over.ok
    ? fail("not-delivered", "The session ended before its terminal took everything. Look at its screen for what arrived.")
    : over;
}
