/** `muxdeck machines ls`: the machines that can be reached from here; today this one. Asks a running agent for its id, starts none. */
import { readFileSync } from "node:fs";
import { fail } from "../../protocol/errors.js";
import { type Command, done } from "../command.js";
import { output, writeJson } from "../output.js";
import { printable, table } from "../printable.js";
import { agentRuns, chooseMachine, localPaths } from "../reach.js";

export const command: Command = {
  usage: "machines ls",
  summary: "Lists the machines.",
  words: [1, 1],
  async run({ arguments: given, json, machine }) {
    const [verb = ""] = given.words;
    if (verb !== "ls") return fail("invalid", `machines has no command ${printable(verb)}. Usage: muxdeck ${command.usage}`);
    const chosen = chooseMachine(machine);
    if (!chosen.ok) return chosen;
    const at = localPaths();
    const running = await agentRuns(at);
    const entry = { name: chosen.value, id: idIn(at.stateId), via: "local", agent: running ? "running" : "stopped" };
    if (json) await writeJson([entry]);
    else
      await output().write(
        table([
          ["NAME", "VIA", "AGENT"],
          [entry.name, "this machine", entry.agent],
        ]),
      );
    return done;
  },
};

/** The id is made by the first program that needs it. */
function idIn(file: string): string | null {
  try {
    return readFileSync(file, "utf8").trim() || null;
  } catch {
    return null;
  }
}
