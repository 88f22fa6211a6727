/**
 * The rules of the tree as pure functions over files' texts: arrows, packages, owners, names, lengths, headers and words that may not stand
 * in code. Owns how a file is read (with TypeScript's own parser); the table itself is scripts/arrows.mjs. Touches no disk.
 */
import ts from "typescript";
import {
  arrowAgainst,
  emptyWords,
  lineLimits,
  missingInOldNode,
  newNodeOnly,
  runtimeDifferences,
  soleOwners,
  unitOf,
} from "../scripts/arrows.mjs";

export interface Source {
  /** Relative to the top, with `/`. */
  path: string;
  text: string;
}

export interface Breach {
  path: string;
  rule: string;
  says: string;
}

export interface Import {
  specifier: string;
  /** Nothing of it is left at run time. */
  typesOnly: boolean;
  /** Imported names; empty for side effects, dynamic imports and whole namespaces. */
  names: string[];
}

const testFile = /\.(test|spec)\.tsx?$/;
const configFile = /(^|\/)[^/]+\.config\.[cm]?[jt]s$|(^|\/)\.[^/]+$/;
const asset = /\.(css|svg|png|woff2|json|html)(\?[a-z]+)?$/;

/** All rules over all files. */
export function breaches(sources: Source[]): Breach[] {
  const paths = new Set(sources.map((source) => source.path));
  const found: Breach[] = [];
  const owners = new Map<string, string>();
  for (const source of sources) {
    const say = (rule: string, says: string): void => void found.push({ path: source.path, rule, says });
    nameBreaches(source, say);
    lengthBreaches(source, say);
    if (!/\.[cm]?tsx?$/.test(source.path)) continue;
    const file = parse(source);
    headerBreach(source, say);
    wordBreaches(source, file, say);
    exportBreaches(source, file, say);
    for (const entry of importsOf(file)) {
      importBreach(source, entry, paths, say);
      ownerBreaches(source, entry, owners, say);
    }
  }
  return found;
}

/** Every way one module names another: static, dynamic, re-export, `import("x")` in a type, and require. */
export function readImports(source: Source): Import[] {
  return importsOf(parse(source));
}

function parse(source: Source): ts.SourceFile {
  const kind = source.path.endsWith("x") ? ts.ScriptKind.TSX : ts.ScriptKind.TS;
  return ts.createSourceFile(source.path, source.text, ts.ScriptTarget.ES2022, true, kind);
}

function importsOf(file: ts.SourceFile): Import[] {
  const imports: Import[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
      imports.push({ specifier: node.moduleSpecifier.text, ...clause(node.importClause) });
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined && ts.isStringLiteral(node.moduleSpecifier)) {
      imports.push({ specifier: node.moduleSpecifier.text, typesOnly: node.isTypeOnly, names: [] });
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument) && ts.isStringLiteral(node.argument.literal)) {
      imports.push({ specifier: node.argument.literal.text, typesOnly: true, names: [] });
    } else if (ts.isCallExpression(node)) {
      const [first] = node.arguments;
      const loads =
        node.expression.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(node.expression) && node.expression.text === "require");
      if (loads && first !== undefined && ts.isStringLiteralLike(first))
        imports.push({ specifier: first.text, typesOnly: false, names: [] });
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return imports;
}

function clause(importClause: ts.ImportClause | undefined): { typesOnly: boolean; names: string[] } {
  if (importClause === undefined) return { typesOnly: false, names: [] };
  const bindings = importClause.namedBindings;
  const elements = bindings !== undefined && ts.isNamedImports(bindings) ? [...bindings.elements] : [];
  const values = elements.filter((element) => !element.isTypeOnly);
  const wholeTypeOnly = importClause.phaseModifier === ts.SyntaxKind.TypeKeyword;
  const onlyTypeElements = importClause.name === undefined && elements.length > 0 && values.length === 0;
  return { typesOnly: wholeTypeOnly || onlyTypeElements, names: values.map((element) => (element.propertyName ?? element.name).text) };
}

type Say = (rule: string, says: string) => void;

function importBreach(source: Source, entry: Import, paths: Set<string>, say: Say): void {
  const isTest = testFile.test(source.path) || source.path.startsWith("test/") || configFile.test(source.path);
  if (!entry.specifier.startsWith(".")) {
    if (!isTest) packageBreach(source, entry, say);
    return;
  }
  if (asset.test(entry.specifier)) return;
  const target = resolveRelative(source.path, entry.specifier, paths);
  if (target === null) {
    say("import", `${entry.specifier} is no file of ours; a relative import ends in .js`);
    return;
  }
  if (isTest) return;
  if (testFile.test(target) || target.startsWith("test/")) say("arrows", `${target} is for tests only`);
  else {
    const against = arrowAgainst(source.path, target, entry.typesOnly);
    if (against !== null) say("arrows", against);
  }
}

function packageBreach(source: Source, entry: Import, say: Say): void {
  const unit = unitOf(source.path);
  if (unit === null) return;
  const allowed = unit.packages.some((name) =>
    name.endsWith(":") ? entry.specifier.startsWith(name) : entry.specifier === name || entry.specifier.startsWith(`${name}/`),
  );
  if (!allowed) say("packages", `${unit.folder} may not use ${entry.specifier}`);
}

function ownerBreaches(source: Source, entry: Import, owners: Map<string, string>, say: Say): void {
  if (testFile.test(source.path) || source.path.startsWith("test/") || entry.typesOnly) return;
  for (const rule of soleOwners) {
    const taken = entry.specifier === rule.from && (rule.name === null || entry.names.includes(rule.name));
    if (!taken) continue;
    const what = rule.name === null ? rule.from : `${rule.name} of ${rule.from}`;
    const owner = rule.file ?? owners.get(what) ?? source.path;
    owners.set(what, owner);
    if (owner !== source.path) say("owner", `${what} belongs to ${owner}`);
  }
}

/** `./x.js` is written for x.ts or x.tsx, as TypeScript wants it; `.mjs` and `.mts` likewise. */
function resolveRelative(from: string, specifier: string, paths: Set<string>): string | null {
  const parts = from.split("/").slice(0, -1);
  for (const part of specifier.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== ".") parts.push(part);
  }
  const joined = parts.join("/");
  const candidates = joined.endsWith(".mjs")
    ? [joined, joined.replace(/\.mjs$/, ".mts")]
    : joined.endsWith(".js")
      ? [joined.replace(/\.js$/, ".ts"), joined.replace(/\.js$/, ".tsx"), joined.replace(/\.js$/, ".d.ts")]
      : [];
  return candidates.find((candidate) => paths.has(candidate)) ?? null;
}

function nameBreaches(source: Source, say: Say): void {
  const parts = source.path.split("/");
  for (const part of parts) {
    const bare = part.replace(/^\./, "");
    if (!/^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)*$/.test(bare)) say("name", `${part} is not in kebab-case`);
    const empty = bare.split(/[-.]/).filter((word) => emptyWords.includes(word));
    if (empty.length > 0) say("name", `${part}: "${empty.join(", ")}" does not say what it holds`);
  }
  if (/(^|\/)index\.[cm]?tsx?$/.test(source.path) && source.path !== "sdk/index.ts") say("name", "only sdk/ has an index file");
}

function lengthBreaches(source: Source, say: Say): void {
  const lines = source.text.split("\n").length - (source.text.endsWith("\n") ? 1 : 0);
  if (lines > lineLimits.hard) say("length", `${lines} lines; at most ${lineLimits.hard}, split it by what its parts are responsible for`);
}

function headerBreach(source: Source, say: Say): void {
  if (testFile.test(source.path)) return;
  const header = /^\/\*\*[\s\S]*?\*\//.exec(source.text)?.[0] ?? "";
  if (header.length < 45) say("header", "begins with no comment that says what it owns and what it refuses");
}

/** Parts are joined so that this file does not hold the words it looks for. */
const openMarks = new RegExp(`\\b(${["TO" + "DO", "FIX" + "ME", "HA" + "CK", "X".repeat(3)].join("|")})\\b`);
const silencers = new RegExp(`@ts-(${["ignore", "expect-error", "nocheck"].join("|")})`);

function wordBreaches(source: Source, file: ts.SourceFile, say: Say): void {
  if (openMarks.test(source.text)) say("words", "an open mark stands in it: do it, or say it in an issue");
  if (silencers.test(source.text)) say("words", "silences the compiler");
  const unit = unitOf(source.path);
  const old = unit !== null && source.path !== runtimeDifferences && !newNodeOnly.includes(unit.folder) && !testFile.test(source.path);
  const visit = (node: ts.Node): void => {
    if (ts.isAsExpression(node) && ts.isAsExpression(node.expression) && node.expression.type.kind === ts.SyntaxKind.UnknownKeyword) {
      say("words", "casts through unknown to silence the compiler");
    }
    if (testFile.test(source.path)) testWordBreach(node, say);
    if (old) oldNodeBreach(node, say);
    ts.forEachChild(node, visit);
  };
  visit(file);
}

/** Nothing in a test is left out, tried twice or timed by sleeping. Under 100 ms is pacing, not waiting for something to have happened. */
function testWordBreach(node: ts.Node, say: Say): void {
  if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
    const called = node.expression.name.text;
    const ofTests = /^(it|test|describe|suite|bench)\b/.test(node.expression.expression.getText());
    if (ofTests && ["only", "skip", "fixme", "todo"].includes(called) && node.arguments.length > 0)
      say("tests", `.${called}( leaves a test out`);
    if (called === "waitForTimeout") say("tests", "sleeps instead of waiting for something");
  }
  if (
    ts.isPropertyAssignment(node) &&
    ts.isIdentifier(node.name) &&
    ["retry", "retries"].includes(node.name.text) &&
    ts.isNumericLiteral(node.initializer)
  ) {
    say("tests", "tries again what failed");
  }
  if (ts.isNewExpression(node) && node.expression.getText() === "Promise") {
    const sleep = /^\(?\s*(\w+)\s*\)?\s*=>\s*\{?\s*(?:void\s+)?setTimeout\(\s*\1\s*,(?!\s*\d{1,2}\s*\))/.exec(
      node.arguments?.[0]?.getText() ?? "",
    );
    if (sleep !== null) say("tests", "sleeps instead of waiting for something");
  }
}

function oldNodeBreach(node: ts.Node, say: Say): void {
  const missing = (name: string): void => {
    if (missingInOldNode.includes(name)) say("old node", `${name} is not there in Node 16.17`);
  };
  if (ts.isPropertyAccessExpression(node)) {
    const whole = node.getText();
    const guarded = ts.isBinaryExpression(node.parent) && node.parent.operatorToken.kind === ts.SyntaxKind.QuestionQuestionToken;
    if (!guarded) missing(whole);
    if (node.expression.getText() === "globalThis") missing(node.name.text);
  }
  if (ts.isIdentifier(node) && isGlobalUse(node)) missing(node.text);
  if (ts.isImportSpecifier(node) && (node.propertyName ?? node.name).text === "parseArgs") missing("parseArgs");
}

/** An identifier that is read as a value and that nothing in its file declares or imports. */
function isGlobalUse(node: ts.Identifier): boolean {
  const parent = node.parent;
  if (ts.isPropertyAccessExpression(parent) && parent.name === node) return false;
  if (ts.isTypeNode(parent) || ts.isQualifiedName(parent) || ts.isTypeOfExpression(parent)) return false;
  const isName =
    (ts.isPropertyAssignment(parent) ||
      ts.isPropertySignature(parent) ||
      ts.isPropertyDeclaration(parent) ||
      ts.isMethodDeclaration(parent)) &&
    parent.name === node;
  const declares = "name" in parent && parent.name === node;
  if (isName || declares || ts.isImportSpecifier(parent) || ts.isBindingElement(parent) || ts.isMethodSignature(parent)) return false;
  return !declaredIn(node.getSourceFile()).has(node.text);
}

const declaredCache = new WeakMap<ts.SourceFile, Set<string>>();

function declaredIn(file: ts.SourceFile): Set<string> {
  const known = declaredCache.get(file);
  if (known !== undefined) return known;
  const names = new Set<string>();
  const visit = (node: ts.Node): void => {
    const declares =
      ts.isImportSpecifier(node) ||
      ts.isImportClause(node) ||
      ts.isNamespaceImport(node) ||
      ts.isVariableDeclaration(node) ||
      ts.isParameter(node) ||
      ts.isFunctionDeclaration(node) ||
      ts.isClassDeclaration(node) ||
      ts.isBindingElement(node);
    if (declares && node.name !== undefined && ts.isIdentifier(node.name)) names.add(node.name.text);
    ts.forEachChild(node, visit);
  };
  visit(file);
  declaredCache.set(file, names);
  return names;
}

function exportBreaches(source: Source, file: ts.SourceFile, say: Say): void {
  if (configFile.test(source.path)) return;
  const isDefault = (node: ts.Statement): boolean =>
    (ts.isExportAssignment(node) && node.isExportEquals !== true) ||
    (ts.canHaveModifiers(node) && (ts.getModifiers(node) ?? []).some((modifier) => modifier.kind === ts.SyntaxKind.DefaultKeyword)) ||
    (ts.isExportDeclaration(node) &&
      node.exportClause !== undefined &&
      ts.isNamedExports(node.exportClause) &&
      node.exportClause.elements.some((element) => element.name.text === "default"));
  if (file.statements.some(isDefault)) say("exports", "has a default export");
  const passesOn =
    file.statements.length > 0 && file.statements.every((node) => ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined);
  if (passesOn && source.path !== "sdk/index.ts") say("exports", "only passes on what others export");
}
