/**
 * Which tests a machine cannot run. With CI=true nothing may be missing: the test then runs, and fails by itself.
 */
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** For `it.skipIf(lacks("vim"))`: true when the program is not there and may be missing. */
export function lacks(program: string): boolean {
  if (process.env.CI === "true") return false;
  if (program.includes("/")) return !existsSync(program);
  return !(process.env.PATH ?? "").split(delimiter).some((folder) => existsSync(join(folder, program)));
}
