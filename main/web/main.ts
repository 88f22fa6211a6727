/**
 * `muxdeck serve`: the desk in the browser host. Owns the start, the one printed line, and a clean end on SIGTERM and SIGINT. Prints
 * nothing else on standard output; tokens go nowhere but into that line.
 */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Failure, fail, ok, type Result } from "../../protocol/errors.js";
import { askRunningDesk, type OpenedDesk, openDesk } from "../desk/open-desk.js";
import { readPageFiles } from "../desk/page-files.js";
import { openBrowser } from "./browser.js";
import { type Flags, readFlags } from "./flags.js";
import { startWebServer, type WebServer } from "./server.js";
import { Tokens } from "./tokens.js";

/** The built page, beside the folder of the built file that runs. */
const pageFolder = join(dirname(fileURLToPath(import.meta.url)), "..", "renderer");

async function main(): Promise<void> {
  const flags = readFlags(process.argv.slice(2));
  // Without knowing the flags, ask the words: an error is answered in the form that was asked for.
  const json = flags.ok ? flags.value.json : process.argv.includes("--json");
  const done = flags.ok ? await (flags.value.url ? printAddress(flags.value) : serve(flags.value)) : flags;
  if (!done.ok) end(done.error, json);
}

/** Exit codes as the command line has them (docs: contracts); what is not here is 1. */
const exitCodes: Partial<Record<Failure["code"], number>> = { invalid: 2, "not-found": 3, "not-permitted": 4, unreachable: 5, offline: 5 };

/** One sentence on standard error, and the code for it. */
function end(error: Failure, json: boolean): void {
  process.stderr.write(json ? `${JSON.stringify({ error: { code: error.code, message: error.message } })}\n` : `${error.message}\n`);
  process.exit(exitCodes[error.code] ?? 1);
}

function say(address: string, flags: Flags): void {
  process.stdout.write(flags.json ? `${JSON.stringify({ url: address })}\n` : `${address}\n`);
}

/** `--url`: a new address of the host that runs. */
async function printAddress(flags: Flags): Promise<Result<Record<string, never>>> {
  const running = await askRunningDesk(process.env, "address");
  if (!running.ok) return fail("offline", "No browser host runs here. Start one with muxdeck serve.");
  if (running.value.address === null) return fail("busy", "Muxdeck runs here as an app, which has no address. Close it first.");
  say(running.value.address, flags);
  return ok({});
}

async function serve(flags: Flags): Promise<Result<Record<string, never>>> {
  const files = await readPageFiles(pageFolder).catch(() => new Map());
  if (!files.has("/index.html"))
    return fail("internal", `The built page is not in ${pageFolder}. Build Muxdeck (npm ci) or install it again.`);
  const tokens = new Tokens();
  let server: WebServer | null = null;
  const address = (kind: "any" | "new") => `http://127.0.0.1:${server?.port ?? flags.port}/#${tokens.mint(kind)}`;
  const opened = await openDesk(
    {
      env: process.env,
      host: {
        kind: "browser",
        openWindow: () => openBrowser(address("new"), "app", process.env),
        openLink: (link) => openBrowser(link, "tab", process.env),
      },
      answer: (question) => ({
        host: "browser",
        pid: process.pid,
        address: question !== "who" && server !== null ? address("any") : null,
      }),
    },
    "who",
  );
  if (!opened.ok) return opened;
  if (opened.value.kind === "taken") return fail("busy", takenSentence(opened.value));
  const { desk, close } = opened.value;
  const started = await startWebServer({
    files,
    tokens,
    port: flags.port,
    allowHosts: new Set(flags.allowHosts),
    attach: (transport, kind) => desk.attach(transport, { windowId: null, fresh: kind === "new" }),
  });
  if (!started.ok) {
    await close();
    return started;
  }
  server = started.value;
  endOnSignals(async () => {
    await close();
    await started.value.close();
  });
  const first = address("any");
  say(first, flags);
  if (flags.open) {
    const shown = await openBrowser(first, "app", process.env);
    if (!shown.ok) process.stderr.write(`${shown.error.message}\n`);
  }
  return ok({});
}

function takenSentence(taken: Extract<OpenedDesk, { kind: "taken" }>): string {
  return taken.other.host === "electron"
    ? "Muxdeck runs here as an app already, and sessions have one desk at a time. Use its window, or close it and try again."
    : "A browser host runs here already. Print a new address of it with muxdeck serve --url.";
}

/** Ends once. A terminal's Ctrl+C comes twice, from it and from the command that started us: the second one changes nothing. */
function endOnSignals(close: () => Promise<void>): void {
  let closing = false;
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
    process.on(signal, () => {
      if (closing) return;
      closing = true;
      void close().then(() => process.exit(0));
    });
  }
}

void main();
