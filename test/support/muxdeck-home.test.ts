/** That a home finds what was started with it, also what dropped its environment and ignores being asked, and leaves everything else alone. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { expect, it } from "vitest";
import { createHome } from "./muxdeck-home.js";
import { inTime, until } from "./wait.js";

it("ends the processes of its home, whatever they do, and no other", async () => {
  const home = createHome();
  const other = createHome();
  const stubborn = "trap '' TERM HUP; env -i sleep 600 & echo ready; wait; wait";
  const ours = spawn("setsid", ["bash", "-c", stubborn], { env: home.env, stdio: ["ignore", "pipe", "ignore"] });
  const theirs = spawn("sleep", ["600"], { env: other.env, stdio: "ignore" });
  await inTime("the shell", new Promise((resolve) => ours.stdout.once("data", resolve)));
  await until("shell and child", () => home.processes().length === 2);
  expect(home.processes().map((entry) => entry.command[0])).toEqual(["bash", "sleep"]);

  await home.close();
  expect(home.processes()).toEqual([]);
  expect(existsSync(home.folder)).toBe(false);
  expect(other.processes().map((entry) => entry.pid)).toEqual([theirs.pid]);
  await other.close();
});

it("says what it waited for", async () => {
  await expect(until("a miracle", () => false, 50)).rejects.toThrow("waited 50 ms in vain for a miracle");
  await expect(inTime("another", new Promise(() => {}), 50)).rejects.toThrow("another");
  await expect(inTime("a failure", Promise.reject(new Error("told so")))).rejects.toThrow("told so");
});
