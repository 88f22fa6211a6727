/**
 * The only place that hands an address to the system. Takes nothing that the gate (main/desk/url-gate.ts) did not let through, and never
 * a path.
 */
import { shell } from "electron";
import { fail, ok, type Result } from "../../protocol/errors.js";
import { gateUrl } from "../desk/url-gate.js";

/** Opens an http or https address in the user's browser. Gated here again, whoever calls. */
export async function openExternal(address: string): Promise<Result<Record<string, never>>> {
  const gated = gateUrl(address);
  if (!gated.ok) return gated;
  try {
    await shell.openExternal(gated.value);
    return ok({});
  } catch (error) {
    return fail("internal", `The system did not open the address: ${error instanceof Error ? error.message : String(error)}`);
  }
}
