/** The shape of the table in arrows.mjs, for the programs in TypeScript that read it. */
export type Environment = "es" | "node" | "dom" | "page";
export interface Unit {
  folder: string;
  environment: Environment;
  may: (string | { unit: string; files: string[] })[];
  /** Package names; `node:` stands for Node's own modules. A package's sub-paths are included. */
  packages: string[];
}
export const units: Unit[];
export const features: { folder: string; knownBy: string[] };
export const soleOwners: { from: string; name: string | null; file: string | null }[];
export const environments: Record<Environment, { lib: string[]; types: string[] }>;
export const missingInOldNode: string[];
export const newNodeOnly: string[];
export const runtimeDifferences: string;
export const emptyWords: string[];
export const lineLimits: { soft: number; hard: number };
export function unitOf(path: string): Unit | null;
export function referencesOf(unit: Unit): string[];
export function arrowAgainst(from: string, to: string, typesOnly: boolean): string | null;
