/** The flags of `muxdeck serve`, read by hand: this code also runs where node:util has no parseArgs. Refuses what it does not know. */
import { fail, ok, type Result } from "../../protocol/errors.js";
import { isHostName } from "./origin.js";

export interface Flags {
  /** 0: any free one. */
  port: number;
  /** Open a browser window. */
  open: boolean;
  /** Only print a new address of the host that runs already. */
  url: boolean;
  /** Print one JSON document instead of a line. */
  json: boolean;
  allowHosts: string[];
}

/** Reads `--port N --no-open --url --allow-host NAME --json`, also in the form `--port=N`. */
export function readFlags(argv: readonly string[]): Result<Flags> {
  const flags: Flags = { port: 0, open: true, url: false, json: false, allowHosts: [] };
  const rest = argv.flatMap((word) => {
    const cut = word.startsWith("--") ? word.indexOf("=") : -1;
    return cut < 0 ? [word] : [word.slice(0, cut), word.slice(cut + 1)];
  });
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    switch (word) {
      case "--port": {
        const value = rest.shift() ?? "";
        const port = Number(value);
        if (!/^\d{1,5}$/.test(value) || port > 65535) return fail("invalid", `--port takes a number from 0 to 65535, not "${value}".`);
        flags.port = port;
        break;
      }
      case "--no-open":
        flags.open = false;
        break;
      case "--url":
        flags.url = true;
        break;
      case "--json":
        flags.json = true;
        break;
      case "--allow-host": {
        const name = rest.shift() ?? "";
        if (!isHostName(name)) return fail("invalid", `--allow-host takes a host name without a port, not "${name}".`);
        flags.allowHosts.push(name.toLowerCase());
        break;
      }
      default:
        return fail("invalid", `serve does not know "${word}". It takes --port, --no-open, --url, --allow-host and --json.`);
    }
  }
  return ok(flags);
}
