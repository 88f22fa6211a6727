/** `muxdeck resize`: gives a session a size and takes the size with it. Refused in an exclusive session. */
import type { Failure } from "../../protocol/errors.js";
import { fail, type Result } from "../../protocol/errors.js";
import { readSize } from "../arguments.js";
import { type Command, done, withSession } from "../command.js";
import { openStream } from "../open-stream.js";
import { writeJson } from "../output.js";

/** How long the agent may take to say that the size is ours. */
const answerMs = 10_000;

export const command: Command = {
  usage: "resize S CxR",
  summary: "Gives a session a size; it keeps it until an operator with a pane types.",
  words: [2, 2],
  run: async (call) => {
    const size = readSize(call.arguments.words[1] ?? "");
    if (!size.ok) return size;
    return withSession(call, async (at, entry) => {
      if (entry.state === "ended") return fail("ended", `${entry.name} has ended. Its size stays as it is.`);
      let taken: (result: Result<null>) => void = () => {};
      const answer = new Promise<Result<null>>((resolve) => {
        taken = resolve;
      });
      const refused = (error: Failure): void => taken({ ok: false, error });
      const opened = openStream(
        at,
        { session: entry.sessionId, role: "operator", view: null, from: "now", scrollback: "none", onLag: "skip" },
        {
          refused,
          driver: ({ mine }) => {
            if (mine) taken({ ok: true, value: null });
          },
        },
      );
      const attached = await opened.attached;
      if (!attached.ok) return attached;
      opened.stream.takeSize(size.value);
      const late = setTimeout(() => taken(fail("timeout", "The agent did not answer. Look at `muxdeck ls` and try again.")), answerMs);
      const ended = opened.over.then((over): Result<null> => (over.ok ? fail("ended", `${entry.name} has ended.`) : over));
      const result = await Promise.race([answer, ended]);
      clearTimeout(late);
      if (!result.ok) return result;
      await opened.stream.detach();
      if (call.json) await writeJson({ sessionId: entry.sessionId, size: size.value });
      return done;
    });
  },
};
