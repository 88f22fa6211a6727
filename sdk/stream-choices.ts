/**
 * What a program may ask of a stream, and what is wrong with what it asked. Owns the defaults and the sentences; everything is checked
 * before anything is sent.
 */
import type { Attach } from "../protocol/messages.js";
import type { StreamRole } from "../protocol/values.js";
import { errorWith } from "./errors.js";

export interface StreamChoices {
  /** `operator` (default) may type; `observer` only watches. */
  mode?: StreamRole;
  /** Slow the program down rather than skip output, unless this program stands still for 5 s or the link breaks. Operators only. */
  lossless?: boolean;
}

export interface AttachChoices {
  /** Where output begins: with the current screen (default), with what comes next, with the oldest kept, or at a sequence. */
  from?: Attach["from"];
  /** Lines of scrollback of the terminal that shows the data; then screens come with their scrollback. Default: none. */
  scrollback?: number;
  /** Milliseconds; default 10 000. */
  timeoutMs?: number;
}

/** With the defaults; throws InvalidError. */
export function checkedChoices({ mode = "operator", lossless = false, ...rest }: StreamChoices): Required<StreamChoices> {
  const unknown = Object.keys(rest)[0];
  if (unknown !== undefined) throw errorWith("invalid", `A stream has no option "${unknown}". Known are mode and lossless.`);
  if (mode !== "operator" && mode !== "observer")
    throw errorWith("invalid", `There is no mode "${mode}". Known are operator and observer.`);
  if (lossless && mode === "observer") throw errorWith("invalid", "An observer never slows a program: lossless needs mode operator.");
  return { mode, lossless };
}

/** Without what is not for the agent; throws InvalidError. */
export function checkedAttach(session: string, { from, scrollback }: AttachChoices): { from?: Attach["from"]; scrollback?: number } {
  if (typeof session !== "string" || session === "") throw errorWith("invalid", "attach() needs the id of a session.");
  const position = typeof from === "number" && (!Number.isSafeInteger(from) || from < 0);
  if (position || (typeof from === "string" && !["screen", "now", "oldest"].includes(from))) {
    throw errorWith("invalid", `Output cannot begin at "${from}". Known are screen, now, oldest and a sequence.`);
  }
  if (scrollback !== undefined && (!Number.isInteger(scrollback) || scrollback < 0 || scrollback > 10_000)) {
    throw errorWith("invalid", "scrollback is a number of lines from 0 to 10000.");
  }
  return { ...(from === undefined ? {} : { from }), ...(scrollback === undefined ? {} : { scrollback }) };
}
