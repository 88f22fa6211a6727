/** That a started program closes what it inherited and nothing of its own. */
import { spawnSync } from "node:child_process";
import { closeSync, fstatSync, openSync, readlinkSync } from "node:fs";
import { expect, it } from "vitest";
import { ownDescriptors } from "../sdk/own-descriptors.js";
import { closeInherited, descriptorsVariable } from "./inherited-descriptors.js";

it("closes a descriptor only while it is what the starter named", () => {
  const pipe = spawnSync("mkfifo", [`/tmp/muxdeck-fifo-${process.pid}`]);
  expect(pipe.status).toBe(0);
  // A named pipe reads as its path, so it is not one of those that are closed.
  const named = openSync(`/tmp/muxdeck-fifo-${process.pid}`, "r+");
  const own = ownDescriptors().split(" ")[0] ?? "";
  const [number = "", what = ""] = own.split("=");
  const wrong = `${number}=socket:[1] ${named}=${readlinkSync(`/proc/self/fd/${named}`)} x=pipe:[1] 5 =pipe:[2]`;
  const env: Record<string, string | undefined> = { [descriptorsVariable]: wrong, OTHER: "1" };
  closeInherited(env);
  expect(env).toEqual({ OTHER: "1" });
  expect(readlinkSync(`/proc/self/fd/${number}`)).toBe(what);
  expect(fstatSync(named).isFIFO()).toBe(true);
  closeSync(named);
  spawnSync("rm", [`/tmp/muxdeck-fifo-${process.pid}`]);
});
