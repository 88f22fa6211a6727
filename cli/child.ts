/**
 * Programs of this package that run as processes of their own: found beside the file that runs, started on our standard streams. Owns
 * passing on signals and exit codes; knows none of their options.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The package's folder: the one above `dist`, wherever below it this file was built to. */
export function packageFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "package.json")) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

/** A built file below `dist`; null where it was not built. */
export function builtFile(...path: string[]): string | null {
  const file = join(packageFolder(), "dist", ...path);
  return existsSync(file) ? file : null;
}

/** Signals that whoever started us means for the program. */
const passedOn = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Runs a program to its end on our standard streams; its exit code as a shell would give it, or null when it could not be run at all. */
export function runToEnd(program: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<number | null> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: "inherit", env });
    const handlers = passedOn.map((signal): [NodeJS.Signals, () => void] => [signal, () => child.kill(signal)]);
    for (const [signal, handler] of handlers) process.on(signal, handler);
    const end = (code: number | null): void => {
      for (const [signal, handler] of handlers) process.off(signal, handler);
      resolve(code);
    };
    child.once("error", () => end(null));
    child.once("exit", (code, signal) => end(signal === null ? (code ?? 1) : 128 + constants.signals[signal]));
  });
}
