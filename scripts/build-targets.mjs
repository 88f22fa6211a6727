/**
 * What is built from what: one row per target, read by the build, the watch loop and the start script. Owns entries, formats and language
 * levels; builds nothing. `folders` are the sources whose change makes the target stale. `beside` are packages copied under the target's
 * folder as they are, so that dist/agent can be copied elsewhere as a whole and run there.
 *
 * @typedef {{ from: string, to: string, format: "cjs" | "es" }} Entry
 * @typedef {{ entries: Entry[], level: string, folders: string[], split?: boolean, page?: boolean, types?: boolean, beside?: string[] }} Target
 */

const sdkFolders = ["sdk", "client", "protocol", "transport", "state"];
const hostFolders = ["link", "main/desk", ...sdkFolders];

/** The oldest Node and Chrome the desktop half must run on; Electron 22, on which the tests drive the app, has exactly these. */
const oldNode = "node16";
const oldChrome = "chrome108";

/** @type {Record<string, Target>} */
export const targets = {
  agent: {
    entries: [
      { from: "agent/main.ts", to: "dist/agent/agent.cjs", format: "cjs" },
      { from: "agent/screen-worker.ts", to: "dist/agent/screen-worker.cjs", format: "cjs" },
    ],
    level: oldNode,
    folders: ["agent", "protocol", "transport", "state", "client"],
    beside: ["@lydell/node-pty", `@lydell/node-pty-${process.platform}-${process.arch}`],
  },
  hub: {
    entries: [{ from: "hub/main.ts", to: "dist/hub/hub.js", format: "es" }],
    level: "node20",
    folders: ["hub", "protocol", "transport", "state"],
  },
  cli: {
    entries: [{ from: "cli/main.ts", to: "dist/cli/main.js", format: "es" }],
    level: "node20",
    folders: ["cli", ...sdkFolders],
    split: true,
  },
  sdk: {
    entries: [
      { from: "sdk/index.ts", to: "dist/sdk/index.js", format: "es" },
      { from: "sdk/index.ts", to: "dist/sdk/index.cjs", format: "cjs" },
    ],
    level: oldNode,
    folders: sdkFolders,
  },
  main: {
    entries: [
      { from: "main/electron/main.ts", to: "dist/main/electron.cjs", format: "cjs" },
      { from: "main/web/main.ts", to: "dist/main/web.cjs", format: "cjs" },
    ],
    level: oldNode,
    folders: ["main/electron", "main/web", ...hostFolders],
  },
  preload: {
    entries: [{ from: "preload/preload.ts", to: "dist/preload/preload.cjs", format: "cjs" }],
    level: oldChrome,
    folders: ["preload", "link", "protocol"],
  },
  renderer: {
    entries: [{ from: "renderer/index.html", to: "dist/renderer/index.html", format: "es" }],
    level: oldChrome,
    folders: ["renderer", "link", "protocol", "transport"],
    page: true,
  },
  types: {
    entries: [{ from: "sdk/index.ts", to: "dist/sdk/types/esm/sdk/index.d.ts", format: "es" }],
    level: oldNode,
    folders: sdkFolders,
    types: true,
  },
};
