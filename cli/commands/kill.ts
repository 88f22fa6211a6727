/** `muxdeck kill`: ends a session for everybody, and says when its program is gone. */
import { type Command, done, withSession } from "../command.js";
import { writeJson } from "../output.js";

export const command: Command = {
  usage: "kill S",
  summary: "Ends a session: HUP, TERM, KILL to its programs. Returns when they are gone.",
  words: [1, 1],
  run: (call) =>
    withSession(call, async (at, entry) => {
      const reply = await at.request("kill", { session: entry.sessionId });
      if (!reply.ok) return reply;
      if (call.json) await writeJson({ sessionId: entry.sessionId, exit: reply.value.exit });
      return done;
    }),
};
