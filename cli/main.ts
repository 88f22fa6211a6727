/**
 * The command line: finds the verb, reads its words, runs it, and ends with its exit code. Owns the list of verbs and the help. What a verb
 * does is in commands/; each is loaded only when it is meant, so that the others cost no time.
 */
import { fail, failure, type Result } from "../protocol/errors.js";
import { productVersion } from "../protocol/values.js";
import { readArguments } from "./arguments.js";
import type { Command } from "./command.js";
import { exitCodeOf, sayFailure } from "./failures.js";
import { output } from "./output.js";
import { printable } from "./printable.js";

/** In the order of the help. */
const verbs: Record<string, () => Promise<{ command: Command }>> = {
  app: () => import("./commands/app.js"),
  serve: () => import("./commands/serve.js"),
  new: () => import("./commands/new.js"),
  ls: () => import("./commands/ls.js"),
  attach: () => import("./commands/attach.js"),
  send: () => import("./commands/send.js"),
  tail: () => import("./commands/tail.js"),
  screen: () => import("./commands/screen.js"),
  wait: () => import("./commands/wait.js"),
  resize: () => import("./commands/resize.js"),
  signal: () => import("./commands/signal.js"),
  rename: () => import("./commands/rename.js"),
  kill: () => import("./commands/kill.js"),
  dismiss: () => import("./commands/dismiss.js"),
  machines: () => import("./commands/machines.js"),
  agent: () => import("./commands/agent.js"),
  connect: () => import("./commands/connect.js"),
  doctor: () => import("./commands/doctor.js"),
};

async function main(argv: readonly string[]): Promise<number> {
  const [first, ...rest] = argv;
  if (first === "--version" || first === "-V" || first === "version") {
    await output().write(`muxdeck ${productVersion}\n`);
    return 0;
  }
  if (first === "--help" || first === "-h" || first === "help") return help(rest[0]);
  // Without a verb it is the app, also with options: `muxdeck --json`.
  const verb = first === undefined || first.startsWith("-") ? "app" : first;
  const words = verb === first ? rest : argv;
  const json = wantsJson(words);
  const load = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined;
  const result = load === undefined ? unknown(verb) : await run((await load()).command, words, json);
  if (result.ok) return result.value;
  sayFailure(result.error, json);
  return exitCodeOf(result.error);
}

async function run(command: Command, words: readonly string[], json: boolean): Promise<Result<number>> {
  const read = readArguments(words, command);
  if (!read.ok) return read;
  if (read.value.has("help")) {
    await output().write(usageOf(command));
    return { ok: true, value: 0 };
  }
  return command.run({ arguments: read.value, json, machine: read.value.text("machine") });
}

/** Known before the words are read, because errors in them are told as JSON too. */
function wantsJson(words: readonly string[]): boolean {
  const end = words.indexOf("--");
  return words.slice(0, end < 0 ? undefined : end).includes("--json");
}

async function help(verb: string | undefined): Promise<number> {
  const one = verb !== undefined && Object.hasOwn(verbs, verb) ? verbs[verb] : undefined;
  if (one !== undefined) {
    await output().write(usageOf((await one()).command));
    return 0;
  }
  const commands = await Promise.all(Object.values(verbs).map((load) => load()));
  const lines = commands.map(({ command }) => `  ${command.usage}\n      ${command.summary}\n`);
  await output().write(
    `Sessions that outlive every client.\n\n${lines.join("")}\nEvery command takes --json, -m or --machine NAME, and --help.\n`,
  );
  return 0;
}

function usageOf(command: Command): string {
  return `Usage: muxdeck ${command.usage}\n\n${command.summary}\n${command.details === undefined ? "" : `\n${command.details}\n`}`;
}

function unknown(verb: string): Result<never> {
  return fail("invalid", `There is no command ${printable(verb)}. \`muxdeck --help\` lists them.`);
}

function crashed(error: unknown): void {
  const reason = error instanceof Error ? error.message : String(error);
  sayFailure(
    failure("internal", `Muxdeck failed: ${reason}. Please report it with the output of \`muxdeck doctor\`.`),
    wantsJson(process.argv),
  );
  if (process.env.MUXDECK_DEBUG && error instanceof Error) sayFailure(failure("internal", error.stack ?? ""), false);
  process.exit(1);
}

process.on("uncaughtException", crashed);
process.on("unhandledRejection", crashed);

void main(process.argv.slice(2)).then(async (code) => {
  await output().flushed();
  // Standard input or a child may still hold the process; everything is done.
  process.exit(code);
});
