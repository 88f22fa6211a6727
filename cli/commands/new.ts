/** `muxdeck new`: starts a session and prints its id. Owns what the session takes over from this program: folder, size, environment. */
import { resolve } from "node:path";
import { fail, ok } from "../../protocol/errors.js";
import type { Size } from "../../protocol/values.js";
import { sessionEnvironment } from "../../sdk/session-environment.js";
import { readName, readSize } from "../arguments.js";
import { type Command, done } from "../command.js";
import { output, writeJson } from "../output.js";
import { printable } from "../printable.js";
import { reach } from "../reach.js";

export const command: Command = {
  usage: "new [--name N] [--cwd D] [--size CxR] [--env K=V]… [-- CMD ARG…]",
  summary: "Starts a session (the login shell, or CMD) and prints its id.",
  options: { name: "text", cwd: "text", size: "text", env: "texts" },
  words: [0, 0],
  rest: true,
  async run({ arguments: given, json, machine }) {
    const name = given.text("name");
    if (name !== null) {
      const checked = readName(name);
      if (!checked.ok) return checked;
    }
    const size = given.text("size") === null ? ok(terminalSize()) : readSize(given.text("size") ?? "");
    if (!size.ok) return size;
    const extra: Record<string, string> = {};
    for (const text of given.texts("env")) {
      const [, key, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
      if (key === undefined || value === undefined) return fail("invalid", `--env takes NAME=VALUE, not "${printable(text)}".`);
      extra[key] = value;
    }
    if (given.rest !== null && (given.rest[0] ?? "") === "")
      return fail("invalid", "Nothing stands behind --. Name a program, or leave -- out.");
    const reached = await reach(machine, "demand");
    if (!reached.ok || reached.value === null) return reached.ok ? fail("unreachable", "There is no agent.") : reached;
    try {
      const reply = await reached.value.request("new", {
        name,
        command: given.rest === null ? null : [...given.rest],
        cwd: resolve(given.text("cwd") ?? "."),
        env: sessionEnvironment(process.env, extra),
        size: size.value,
      });
      if (!reply.ok) return reply;
      const { sessionId, pid } = reply.value;
      if (json) await writeJson({ sessionId, name: reply.value.name, pid });
      else await output().write(`${sessionId}\n`);
      return done;
    } finally {
      await reached.value.close();
    }
  },
};

/** That of the terminal this runs in, so that an attach from here does not change it. */
function terminalSize(): Size {
  const { columns, rows } = process.stdout.isTTY ? process.stdout : { columns: 80, rows: 24 };
  return { cols: Math.min(1000, Math.max(2, columns)), rows: Math.min(1000, Math.max(1, rows)) };
}
