/**
 * Closes the pipes and sockets that the starter had open and that came along. Owns the check that a descriptor is still what the starter
 * named: this process's own are never touched, whatever number they have. Sessions would inherit what stays open.
 */
import { closeSync, readlinkSync } from "node:fs";

/** The starter's list: `10=socket:[123] 11=pipe:[456]` (sdk/own-descriptors.ts). */
export const descriptorsVariable = "MUXDECK_STARTER_DESCRIPTORS";

/** Closes what is in the list and takes the variable away. */
export function closeInherited(env: Record<string, string | undefined>): void {
  const list = env[descriptorsVariable] ?? "";
  delete env[descriptorsVariable];
  for (const entry of list.split(" ")) {
    const [name = "", what = ""] = entry.split("=");
    if (!/^\d+$/.test(name) || !/^(pipe|socket):\[\d+\]$/.test(what)) continue;
    try {
      if (readlinkSync(`/proc/self/fd/${name}`) === what) closeSync(Number(name));
    } catch {
      // It did not come along.
    }
  }
}
