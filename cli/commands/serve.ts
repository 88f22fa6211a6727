/** `muxdeck serve`: the app in the browser host, as a process of its own. Its options are checked there. */
import { fail, ok } from "../../protocol/errors.js";
import { builtFile, runToEnd } from "../child.js";
import type { Call, Command } from "../command.js";
import { chooseMachine } from "../reach.js";

export const command: Command = {
  usage: "serve [--port N] [--no-open] [--url] [--allow-host NAME]…",
  summary: "Runs the app in the browser host and prints one URL with a one-time token.",
  details: "--url prints a new one for a running host. --allow-host takes further names by which the page may be reached.",
  options: { port: "text", "no-open": "flag", url: "flag", "allow-host": "texts" },
  async run(call) {
    const chosen = chooseMachine(call.machine);
    return chosen.ok ? serve(call, []) : chosen;
  },
};

/** Runs the browser host with the options of `call`, and these on top. */
export async function serve({ arguments: given, json }: Call, more: readonly string[]) {
  const host = builtFile("main", "web.cjs");
  if (host === null) return fail("internal", "The browser host is not built here. Run `npm ci` in Muxdeck's folder.");
  const args = [...(json ? ["--json"] : []), ...more];
  for (const one of given.order) {
    if (!("option" in one) || !["port", "no-open", "url", "allow-host"].includes(one.option)) continue;
    args.push(`--${one.option}`, ...(one.value === null ? [] : [one.value]));
  }
  const code = await runToEnd(process.execPath, [host, ...args]);
  return code === null ? fail("internal", "The browser host could not be started. Look at `muxdeck doctor`.") : ok(code);
}
