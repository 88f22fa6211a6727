/**
 * The random id of a state folder, made once. Clients name it in their hello, so that they never talk to the agent of another home. Owns
 * the one file it stands in; it is no secret.
 */
import { randomBytes } from "node:crypto";
import { linkSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { fail, ok, type Result } from "../protocol/errors.js";

const pattern = /^[0-9a-f]{24}$/;

/**
 * Reads the id, or makes it. Of two programs that make it at once, one wins and both return the same id. The folder must exist
 * (`prepareFolders`).
 */
export function stateId(file: string): Result<string> {
  const known = read(file);
  if (known) return ok(known);
  const made = randomBytes(12).toString("hex");
  const draft = `${file}.${process.pid}.${made}`;
  try {
    writeFileSync(draft, `${made}\n`, { mode: 0o600, flag: "wx" });
    try {
      linkSync(draft, file);
    } catch (error) {
      const winner = read(file);
      if (winner) return ok(winner);
      return fail("internal", `${file} is damaged. Remove it and start again: ${message(error)}`, { scope: "connection" });
    } finally {
      unlinkSync(draft);
    }
    return ok(made);
  } catch (error) {
    return fail("not-permitted", `${file} cannot be written: ${message(error)}`, { scope: "connection" });
  }
}

function read(file: string): string | null {
  try {
    const text = readFileSync(file, "utf8").trim();
    return pattern.test(text) ? text : null;
  } catch {
    return null;
  }
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
