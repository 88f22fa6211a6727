/**
 * `muxdeck agent start|stop|status`: the daemon of this machine. Owns what is said about it; starting is the SDK's, and what the agent
 * allows is its own.
 */

import { readFileSync } from "node:fs";
import { fail, ok, type Result } from "../../protocol/errors.js";
import type { AgentStatus } from "../../protocol/messages.js";
import { roleSchema } from "../../protocol/values.js";
import { openLocal } from "../../sdk/start-agent.js";
import type { Arguments } from "../arguments.js";
import { builtFile, runToEnd } from "../child.js";
import { type Call, type Command, done } from "../command.js";
import { output, writeJson } from "../output.js";
import { printable, table } from "../printable.js";
import { agentRuns, chooseMachine, localMachine, localPaths, reach } from "../reach.js";

/** After its answer the agent ends its sessions, which takes up to 5 s, and then itself. */
const stopMs = 10_000;

const lastMomentsMs = 2000;

export const command: Command = {
  usage: "agent start [--max-role R] [--allow-root] [--foreground] | agent stop | agent status",
  summary: "Starts, stops or describes this machine's agent.",
  details: "Stopping it ends all its sessions. --max-role observer|operator|admin limits every client.",
  options: { "max-role": "text", "allow-root": "flag", foreground: "flag" },
  words: [1, 1],
  async run(call) {
    const chosen = chooseMachine(call.machine);
    if (!chosen.ok) return chosen;
    const [verb = ""] = call.arguments.words;
    if (verb === "start") return start(call);
    if (call.arguments.order.some((one) => "option" in one && one.option in (command.options ?? {}))) {
      return fail("invalid", `agent ${printable(verb)} takes no such option. Usage: muxdeck ${command.usage}`);
    }
    if (verb === "stop") return stop(call);
    if (verb === "status") return status(call);
    return fail("invalid", `agent has no command ${printable(verb)}. Usage: muxdeck ${command.usage}`);
  },
};

async function start(call: Call): Promise<Result<number>> {
  const flags = agentFlags(call.arguments);
  if (!flags.ok) return flags;
  const running = await agentRuns(localPaths());
  if (running && (flags.value.length > 0 || call.arguments.has("foreground"))) {
    return fail("busy", `The agent on ${localMachine()} runs already, and its options cannot be changed. Stop it first: its sessions end.`);
  }
  if (call.arguments.has("foreground")) return foreground(flags.value);
  const opened = openLocal({ client: { kind: "cli", name: localMachine() }, agentArguments: flags.value });
  if (!opened.ok) return opened;
  const ready = await opened.value.ready();
  await opened.value.close();
  if (!ready.ok) return ready;
  const { pid, machine } = ready.value;
  if (call.json) await writeJson({ pid, machine, started: !running });
  else await output().write(`The agent on ${printable(machine)} ${running ? "runs already" : "has started"}: process ${pid}.\n`);
  return done;
}

function agentFlags(given: Arguments): Result<string[]> {
  const role = given.text("max-role");
  const checked = role === null ? null : roleSchema.exclude(["agent"]).safeParse(role);
  if (checked?.success === false) {
    return fail("invalid", `--max-role takes observer, operator or admin, not "${printable(role ?? "")}".`);
  }
  return ok([...(checked === null ? [] : ["--max-role", checked.data]), ...(given.has("allow-root") ? ["--allow-root"] : [])]);
}

async function foreground(flags: readonly string[]): Promise<Result<number>> {
  const agent = builtFile("agent", "agent.cjs");
  if (agent === null) return fail("internal", "The agent is not built here. Run `npm ci` in Muxdeck's folder.");
  const code = await runToEnd(process.execPath, [agent, "--foreground", ...flags]);
  return code === null ? fail("internal", "The agent could not be started. Look at `muxdeck doctor`.") : ok(code);
}

async function stop({ json }: Call): Promise<Result<number>> {
  const reached = await reach(null, "never");
  if (!reached.ok) return reached;
  if (reached.value === null) {
    if (json) await writeJson({ stopped: false });
    else await output().write(`No agent runs on ${localMachine()}.\n`);
    return done;
  }
  const { value: at } = reached;
  const pid = at.connection.agent?.pid;
  const reply = await at.request("stop", {});
  // Its answer and its end may overtake each other.
  if (!reply.ok && reply.error.code !== "offline") {
    await at.close();
    return reply;
  }
  await at.close();
  const end = performance.now() + stopMs;
  while (await agentRuns(localPaths())) {
    if (performance.now() > end)
      return fail("timeout", `The agent on ${at.machine} has not ended yet. Look at its log in ${localPaths().logs}.`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  // It lets go of its lock an instant before it is gone.
  const gone = performance.now() + lastMomentsMs;
  while (pid !== undefined && runs(pid) && performance.now() < gone) await new Promise((resolve) => setTimeout(resolve, 20));
  if (json) await writeJson({ stopped: true });
  return done;
}

/** Whether the process is there and more than a zombie that nobody reaps. */
function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return !stat.slice(stat.lastIndexOf(")")).startsWith(") Z");
  } catch {
    return false;
  }
}

async function status({ json }: Call): Promise<Result<number>> {
  const reached = await reach(null, "never");
  if (!reached.ok) return reached;
  if (reached.value === null) {
    return fail("unreachable", `No agent runs on ${localMachine()}. \`muxdeck agent start\` starts one, and so does \`muxdeck new\`.`);
  }
  const reply = await reached.value.request("status", {});
  await reached.value.close();
  if (!reply.ok) return reply;
  if (json) await writeJson(reply.value);
  else await output().write(table(rows(reply.value)));
  return done;
}

function rows(status: AgentStatus): string[][] {
  return [
    ["Machine", status.machine + (status.root ? " (as root)" : "")],
    ["Process", String(status.pid)],
    ["Version", `${status.product}, protocol ${status.protocol.min} to ${status.protocol.max}`],
    ["Running for", `${Math.round(status.uptimeMs / 1000)} s`],
    ["Sessions", `${status.sessions.running} running, ${status.sessions.ended} ended`],
    ["Clients", `${status.clients}, ${status.streams} streams`],
    ["Memory", `${Math.round(status.residentBytes / 1024 / 1024)} MB`],
    ["Descriptors", String(status.descriptors)],
  ];
}
