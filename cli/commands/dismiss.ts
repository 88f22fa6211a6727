/** `muxdeck dismiss`: forgets an ended session with its screen and history. */
import { type Command, done, withSession } from "../command.js";
import { writeJson } from "../output.js";

export const command: Command = {
  usage: "dismiss S",
  summary: "Forgets an ended session, its screen and its history.",
  words: [1, 1],
  run: (call) =>
    withSession(call, async (at, entry) => {
      const reply = await at.request("dismiss", { session: entry.sessionId });
      if (!reply.ok) return reply;
      if (call.json) await writeJson({ sessionId: entry.sessionId });
      return done;
    }),
};
