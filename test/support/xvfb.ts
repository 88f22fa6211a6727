/**
 * A display of its own for programs with windows. Starts Xvfb on a display it finds free itself, says which, and ends it by its pid.
 */
import { spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { inTime } from "./wait.js";

export interface Display {
  /** For the variable DISPLAY. */
  readonly name: string;
  close(): Promise<void>;
}

export async function startDisplay(size: { width: number; height: number } = { width: 1600, height: 1000 }): Promise<Display> {
  const args = ["-displayfd", "3", "-screen", "0", `${size.width}x${size.height}x24`, "-nolisten", "tcp", "-noreset"];
  const server = spawn("Xvfb", args, { stdio: ["ignore", "ignore", "ignore", "pipe"] });
  const gone = new Promise<void>((resolve) => server.once("exit", () => resolve()));
  const number = new Promise<string>((resolve, reject) => {
    let said = "";
    server.once("error", reject);
    server.once("exit", (code) => reject(new Error(`Xvfb ended with ${code} before it had a display`)));
    (server.stdio[3] as Readable).on("data", (bytes: Buffer) => {
      said += bytes.toString();
      if (said.includes("\n")) resolve(said.trim());
    });
  });
  const name = `:${await inTime("a display of Xvfb", number)}`;
  return {
    name,
    close: async () => {
      server.kill("SIGTERM");
      await inTime("the end of Xvfb", gone);
    },
  };
}
