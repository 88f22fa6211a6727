/**
 * The pipes and sockets that this process has open, as an agent that is being started is told them, so that it closes what it inherited.
 * Electron opens its own without the mark that closes them in a child: an agent that kept them would keep the app's helper processes alive.
 * Owns the form of the list; the agent closes only what is still the very same thing there.
 */
import { readdirSync, readlinkSync } from "node:fs";

/** Standard streams and the descriptor on which the agent says that it is ready. */
const kept = 3;

/** `10=socket:[123] 11=pipe:[456]`; empty where the system does not tell. */
export function ownDescriptors(): string {
  try {
    return readdirSync("/proc/self/fd")
      .filter((name) => Number(name) > kept)
      .map((name) => `${name}=${target(name)}`)
      .filter((entry) => /=(pipe|socket):/.test(entry))
      .join(" ");
  } catch {
    return "";
  }
}

function target(name: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${name}`);
  } catch {
    // The one that the listing itself used.
    return "";
  }
}
