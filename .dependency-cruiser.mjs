/**
 * The table of arrows (scripts/arrows.mjs) as dependency-cruiser's rules, plus what it finds by itself: cycles and imports that resolve to
 * nothing. Owns no rule of its own. scripts/check-arrows.mjs runs it and refuses a run that saw no modules.
 */
import { features, soleOwners, units } from "./scripts/arrows.mjs";

const tests = "\\.(test|spec)\\.tsx?$";
const quoted = (text) => text.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&");

/** Files of a unit: its folder without the folders that are units themselves, and without its tests. */
function filesOf(folder) {
  const nested = units.filter((unit) => unit.folder.startsWith(`${folder}/`)).map((unit) => `^${quoted(unit.folder)}/`);
  return { path: `^${quoted(folder)}/`, pathNot: [...nested, tests] };
}

function ruleOf(unit) {
  const whole = [];
  const typesOnly = [];
  for (const arrow of unit.may) {
    if (typeof arrow !== "string") {
      typesOnly.push(`^${quoted(arrow.unit)}/`);
      whole.push(...arrow.files.map((file) => `^${quoted(file)}$`));
    } else if (arrow.endsWith(".ts")) whole.push(`^${quoted(arrow)}$`);
    else whole.push(`^${quoted(arrow)}/${nestedOf(arrow, unit)}`);
  }
  const own = `^${quoted(unit.folder)}/${nestedOf(unit.folder, unit)}`;
  const outside = ["^node_modules/", "^node:"];
  return [
    {
      name: `arrows-of-${unit.folder.replace("/", "-")}`,
      severity: "error",
      from: filesOf(unit.folder),
      to: { pathNot: [own, ...whole, ...typesOnly, ...outside], dependencyTypesNot: ["core", "npm", "npm-dev", "npm-no-pkg", "unknown"] },
    },
    ...(typesOnly.length === 0
      ? []
      : [
          {
            name: `types-alone-for-${unit.folder.replace("/", "-")}`,
            severity: "error",
            from: filesOf(unit.folder),
            to: { path: typesOnly, pathNot: whole, dependencyTypesNot: ["type-only"] },
          },
        ]),
  ];
}

/** What may follow the folder in a path: not a nested unit, unless that one is allowed by itself. */
function nestedOf(folder, unit) {
  const nested = units
    .filter((other) => other.folder.startsWith(`${folder}/`) && other !== unit && !unit.may.includes(other.folder))
    .map((other) => `${quoted(other.folder.slice(folder.length + 1))}/`);
  return nested.length === 0 ? "" : `(?!${nested.join("|")})`;
}

const featureFolder = quoted(features.folder);

export default {
  forbidden: [
    ...units.flatMap(ruleOf),
    {
      name: "features-apart",
      severity: "error",
      from: { path: `^${featureFolder}/([^/]+)/`, pathNot: tests },
      to: { path: `^${featureFolder}/`, pathNot: `^${featureFolder}/$1/` },
    },
    {
      name: "core-without-features",
      severity: "error",
      from: { path: "^renderer/", pathNot: [`^${featureFolder}/`, tests, ...features.knownBy.map((file) => `^${quoted(file)}$`)] },
      to: { path: `^${featureFolder}/` },
    },
    ...soleOwners
      .filter((owner) => owner.file !== null)
      .map((owner) => ({
        name: `only-${owner.file.replace(/[/.]/g, "-")}`,
        severity: "error",
        from: { pathNot: [`^${quoted(owner.file)}$`, tests, "^test/"] },
        to: { path: `node_modules/${quoted(owner.from)}/` },
      })),
    { name: "tests-are-leaves", severity: "error", from: { pathNot: [tests, "^test/"] }, to: { path: [tests, "^test/"] } },
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } } },
    { name: "resolves", severity: "error", from: {}, to: { couldNotResolve: true, pathNot: "\\.(css|woff2|svg)" } },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^(dist|\\.cache|docs)/" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.base.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default", "types"],
      extensions: [".ts", ".tsx", ".d.ts", ".mjs", ".js", ".css"],
    },
  },
};
