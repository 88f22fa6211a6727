/** `muxdeck rename`: gives a session another name. */
import { readName } from "../arguments.js";
import { type Command, done, withSession } from "../command.js";
import { writeJson } from "../output.js";

export const command: Command = {
  usage: "rename S NAME",
  summary: "Gives a session another name; one that a running session has is refused.",
  words: [2, 2],
  run: async (call) => {
    const name = readName(call.arguments.words[1] ?? "");
    if (!name.ok) return name;
    return withSession(call, async (at, entry) => {
      const reply = await at.request("rename", { session: entry.sessionId, name: name.value });
      if (!reply.ok) return reply;
      if (call.json) await writeJson({ sessionId: entry.sessionId, name: reply.value.name });
      return done;
    });
  },
};
