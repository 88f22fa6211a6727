/** `muxdeck screen`: the current screen as text, as JSON, or exactly with its styles. */
import { type Command, done, withSession } from "../command.js";
import { output, writeJson } from "../output.js";
import { printable } from "../printable.js";

export const command: Command = {
  usage: "screen S [--ansi]",
  summary: "Prints the current screen: as text, or with its styles.",
  options: { ansi: "flag" },
  words: [1, 1],
  run: (call) =>
    withSession(call, async (at, entry) => {
      const ansi = call.arguments.has("ansi");
      const reply = await at.request("screen", { session: entry.sessionId, ansi });
      if (!reply.ok) return reply;
      const { cols, rows, cursor, seq, lines, title, hash, ansi: styled } = reply.value;
      if (call.json) await writeJson({ cols, rows, cursor, seq, lines, title, hash, ...(ansi ? { ansi: styled ?? "" } : {}) });
      else if (ansi) await output().write(styled ?? "");
      else
        await output().write(
          withoutBlankEnd(lines)
            .map((line) => `${printable(line)}\n`)
            .join(""),
        );
      return done;
    }),
};

function withoutBlankEnd(lines: readonly string[]): string[] {
  let end = lines.length;
  while (end > 0 && (lines[end - 1] ?? "").trim() === "") end -= 1;
  return lines.slice(0, end);
}
