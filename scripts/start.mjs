/**
 * `npm start`: the same as `muxdeck app`, with the arguments that follow. Owns only the hand-over: output, signals and the exit code of the
 * command are its own.
 */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const bin = fileURLToPath(new URL("../bin/muxdeck.js", import.meta.url));
const child = spawn(process.execPath, [bin, "app", ...process.argv.slice(2)], { stdio: "inherit" });
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("exit", (code, signal) => {
  process.exitCode = signal === null ? (code ?? 1) : 1;
});
