/**
 * The table of arrows: which folder may import which, what it runs in, and which packages it may use. Read by dependency-cruiser's
 * configuration, by test/architecture.test.ts and by the watch loop; nothing else says who may import whom.
 *
 * `may` names a unit (all of it), a single file of a unit, or a unit of which only types may be taken, plus the listed files whole.
 * The longest matching folder is the unit of a file: transport/node is a unit of its own, not part of transport.
 */

/** @type {import("./arrows.d.mts").Unit[]} */
export const units = [
  { folder: "protocol", environment: "es", may: [], packages: ["zod"] },
  { folder: "transport", environment: "es", may: ["protocol"], packages: [] },
  { folder: "transport/node", environment: "node", may: ["protocol", "transport"], packages: ["node:", "ws"] },
  { folder: "transport/web", environment: "dom", may: ["protocol", "transport"], packages: [] },
  { folder: "client", environment: "es", may: ["protocol", "transport/transport.ts"], packages: [] },
  { folder: "state", environment: "node", may: ["protocol"], packages: ["node:", "zod"] },
  { folder: "sdk", environment: "node", may: ["protocol", "transport", "transport/node", "client", "state"], packages: ["node:"] },
  {
    folder: "agent",
    environment: "node",
    may: ["protocol", "transport", "transport/node", "state", "client/reconnect.ts"],
    packages: ["node:", "zod", "@lydell/node-pty", "@xterm/headless"],
  },
  { folder: "hub", environment: "node", may: ["protocol", "transport", "transport/node", "state"], packages: ["node:", "zod"] },
  {
    folder: "cli",
    environment: "node",
    may: ["protocol", "transport", "transport/node", "client", "state", "sdk"],
    packages: ["node:", "zod"],
  },
  { folder: "link", environment: "es", may: ["protocol"], packages: ["zod"] },
  {
    folder: "main/desk",
    environment: "node",
    may: ["protocol", "transport", "transport/node", "client", "state", "sdk", "link"],
    packages: ["node:", "zod"],
  },
  {
    folder: "main/electron",
    environment: "node",
    may: ["protocol", "transport", "transport/node", "state", "link", "main/desk"],
    packages: ["node:", "zod", "electron"],
  },
  {
    folder: "main/web",
    environment: "node",
    may: ["protocol", "transport", "transport/node", "state", "link", "main/desk"],
    packages: ["node:"],
  },
  { folder: "preload", environment: "dom", may: [{ unit: "link", files: [] }], packages: ["electron"] },
  {
    folder: "renderer",
    environment: "page",
    may: [
      { unit: "link", files: ["link/frame.ts"] },
      {
        unit: "protocol",
        files: [
          "protocol/frame.ts",
          "protocol/mute.ts",
          "protocol/screen-hash.ts",
          "protocol/character-cut.ts",
          "protocol/emulator-repair.ts",
        ],
      },
      { unit: "transport", files: [] },
      "transport/web",
    ],
    packages: ["react", "react-dom", "zustand", "lucide-react", "@xterm/xterm", "@fontsource-variable/inter", "jetbrains-mono"],
  },
];

/** The one folder whose parts may not know each other, and who alone may know all of them. */
export const features = { folder: "renderer/features", knownBy: ["renderer/app.tsx", "renderer/main.tsx"] };

/** Imported names (or whole packages) that belong to one file; `file` null: to whichever single file takes them first. */
export const soleOwners = [
  { from: "@lydell/node-pty", name: null, file: "agent/pty.ts" },
  { from: "electron", name: "ipcMain", file: null },
  { from: "electron", name: "ipcRenderer", file: null },
  { from: "electron", name: "contextBridge", file: null },
  { from: "electron", name: "safeStorage", file: null },
  { from: "electron", name: "shell", file: null },
];

/** TypeScript's `lib` and `types` for each environment: what is not there cannot be used by accident. */
export const environments = {
  es: { lib: ["ES2022"], types: [] },
  node: { lib: ["ES2022"], types: ["node"] },
  dom: { lib: ["ES2022", "DOM"], types: [] },
  page: { lib: ["ES2022", "DOM", "DOM.Iterable"], types: [] },
};

/** Names in scope that Node 16.17 does not have; only `newNodeOnly` may use them: they run on Node 20 or in a page. */
export const missingInOldNode = [
  "structuredClone",
  "fetch",
  "crypto",
  "WebSocket",
  "Blob",
  "FormData",
  "Headers",
  "Request",
  "Response",
  "BroadcastChannel",
  "CustomEvent",
  "navigator",
  "parseArgs",
  "AbortSignal.any",
  "Symbol.asyncDispose",
  "Symbol.dispose",
  "import.meta.dirname",
  "import.meta.filename",
];
export const newNodeOnly = ["cli", "hub", "renderer", "transport/web"];
/** Where the few differences between runtimes are kept: it may name what only one of them has. */
export const runtimeDifferences = "main/electron/versions.ts";

/** Words that say nothing about what a file holds. */
export const emptyWords = ["shared", "common", "util", "utils", "helper", "helpers", "manager", "service", "base", "types", "misc"];

/** Lines a file may have; past `soft` split it when you can, past `hard` at once. */
export const lineLimits = { soft: 400, hard: 600 };

/** @param {string} path relative to the top, with `/` */
export function unitOf(path) {
  let best = null;
  for (const unit of units) {
    if (path.startsWith(`${unit.folder}/`) && unit.folder.length > (best?.folder.length ?? 0)) best = unit;
  }
  return best;
}

/** The units a unit's project must reference: those of everything it may import. */
export function referencesOf(unit) {
  const names = unit.may.map((arrow) => (typeof arrow === "string" ? (unitNamed(arrow) ?? unitOf(arrow))?.folder : arrow.unit));
  return [...new Set(names)].sort();
}

/**
 * What stands against one import, or null. Tests may import everything.
 * @param {string} from importing file @param {string} to imported file @param {boolean} typesOnly
 */
export function arrowAgainst(from, to, typesOnly) {
  const source = unitOf(from);
  const target = unitOf(to);
  if (source === null || target === null) return source === null ? null : `${to} is in no folder of the table`;
  if (source === target) return featureAgainst(from, to);
  for (const arrow of source.may) {
    if (arrow === target.folder || arrow === to) return null;
    if (typeof arrow !== "string" && arrow.unit === target.folder && (typesOnly || arrow.files.includes(to))) return null;
  }
  const only = source.may.some((arrow) => typeof arrow !== "string" && arrow.unit === target.folder);
  return only ? `${source.folder} may take only types from ${to}` : `${source.folder} may not import ${target.folder}`;
}

function featureAgainst(from, to) {
  const inside = featureOf(to);
  if (inside === null || inside === featureOf(from)) return null;
  if (featureOf(from) !== null) return `feature ${featureOf(from)} may not import feature ${inside}`;
  return features.knownBy.includes(from) ? null : `only ${features.knownBy.join(" and ")} may import a feature`;
}

function featureOf(path) {
  return path.startsWith(`${features.folder}/`) ? (path.slice(features.folder.length + 1).split("/")[0] ?? null) : null;
}

function unitNamed(folder) {
  return units.find((unit) => unit.folder === folder) ?? null;
}
