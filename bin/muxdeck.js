#!/usr/bin/env node
/**
 * The command `muxdeck`: starts the built command line. Owns nothing else; says what to do where the build is missing.
 */
import { existsSync } from "node:fs";

const entry = new URL("../dist/cli/main.js", import.meta.url);
if (existsSync(entry)) {
  await import(entry.href);
} else {
  console.error("muxdeck is not built here. Run `npm ci` in its folder first.");
  process.exitCode = 1;
}
