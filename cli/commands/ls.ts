/** `muxdeck ls`: the sessions of a machine, running and ended. Starts no agent: without one there are none. */
import type { SessionEntry } from "../../protocol/values.js";
import { type Command, done } from "../command.js";
import { statusText } from "../failures.js";
import { output, writeJson } from "../output.js";
import { shortened, table } from "../printable.js";
import { reach } from "../reach.js";

export const command: Command = {
  usage: "ls",
  summary: "Lists sessions, running and ended.",
  async run({ json, machine }) {
    const reached = await reach(machine, "never");
    if (!reached.ok) return reached;
    let entries: SessionEntry[] = [];
    if (reached.value !== null) {
      const list = await reached.value.request("list", {});
      await reached.value.close();
      if (!list.ok) return list;
      entries = list.value;
    }
    if (json) await writeJson(entries);
    else if (entries.length > 0) await output().write(table([heads, ...entries.map(row)]));
    return done;
  },
};

const heads = ["ID", "NAME", "STATE", "SIZE", "PID", "AGE", "ATTACHED", "COMMAND"];

function row(entry: SessionEntry): string[] {
  return [
    entry.sessionId.slice(0, 8),
    entry.name,
    entry.exit === null ? entry.state : statusText(entry.exit),
    `${entry.size.cols}x${entry.size.rows}`,
    String(entry.pid),
    age(entry.created),
    entry.attached.map(({ name, role }) => (role === "observer" ? `${name} (watches)` : name)).join(", ") || "-",
    shortened(entry.title || entry.command.join(" "), 60),
  ];
}

function age(created: string): string {
  const seconds = Math.max(0, Math.round((Date.now() - Date.parse(created)) / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return seconds < 48 * 3600 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} d`;
}
