/**
 * What a verb is: how it is written, and what it does. Owns the shape and the commands' common way to end; main.ts finds and runs them.
 */
import { ok, type Result } from "../protocol/errors.js";
import type { SessionEntry } from "../protocol/values.js";
import type { Arguments, Form } from "./arguments.js";
import { type Reach, reachSession } from "./reach.js";

export interface Call {
  arguments: Arguments;
  json: boolean;
  machine: string | null;
}

export interface Command extends Form {
  /** One line for the list of commands. */
  summary: string;
  /** Further lines for the command's own help. */
  details?: string;
  /** The exit code, or why it failed. */
  run(call: Call): Promise<Result<number>>;
}

export const done: Result<number> = ok(0);

/** Runs `work` with the session named by the first word, and closes the link whatever comes of it. */
export async function withSession(call: Call, work: (at: Reach, entry: SessionEntry) => Promise<Result<number>>): Promise<Result<number>> {
  const found = await reachSession(call.machine, call.arguments.words[0] ?? "");
  if (!found.ok) return found;
  try {
    return await work(found.value.at, found.value.entry);
  } finally {
    await found.value.at.close();
  }
}
