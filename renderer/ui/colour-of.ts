/** Colours that tell things of one kind apart: by name, always the same one, never the only sign. Owns the choice; the hues are tokens. */

const hues = 8;

/** This machine is grey; others get one of the seven hues. */
export function machineColour(machine: string, isThis: boolean): string {
  return isThis ? "var(--machine-0)" : `var(--machine-${1 + (hash(machine) % (hues - 1))})`;
}

export function personColour(name: string): string {
  return `var(--person-${hash(name) % hues})`;
}

function hash(text: string): number {
  let value = 2166136261;
  for (let at = 0; at < text.length; at += 1) value = Math.imul(value ^ text.charCodeAt(at), 16777619) >>> 0;
  return value;
}
