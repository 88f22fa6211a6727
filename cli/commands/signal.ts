/** `muxdeck signal`: sends a signal to the program in a session's foreground. */
import { fail } from "../../protocol/errors.js";
import { signalNames, signalSchema } from "../../protocol/values.js";
import { type Command, done, withSession } from "../command.js";
import { writeJson } from "../output.js";
import { printable } from "../printable.js";

export const command: Command = {
  usage: "signal S NAME",
  summary: "Sends a signal to the program in the foreground.",
  details: `NAME is one of ${signalNames.join(" ")}, with or without SIG in front.`,
  words: [2, 2],
  run: async (call) => {
    const word = call.arguments.words[1] ?? "";
    const signal = signalSchema.safeParse(word.toUpperCase().replace(/^SIG/, ""));
    if (!signal.success) return fail("invalid", `${printable(word)} is no signal to send. Choose one of ${signalNames.join(" ")}.`);
    return withSession(call, async (at, entry) => {
      const reply = await at.request("signal", { session: entry.sessionId, signal: signal.data });
      if (!reply.ok) return reply;
      if (call.json) await writeJson({ sessionId: entry.sessionId, signal: signal.data });
      return done;
    });
  },
};
