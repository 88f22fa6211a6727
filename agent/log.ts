/**
 * The agent's log: one JSON object a line, in a few files of bounded size. Owns rotation and the escaping of what could move a terminal.
 * Callers give ids, codes and counts; terminal bytes, input and values of the environment never come here. A log that cannot be written is
 * no reason to stop.
 */
import { appendFileSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";

export type LogFields = Record<string, string | number | boolean | null>;
export type Log = (event: string, fields: LogFields) => void;

/** Size at which a file is put aside, and how many of those stay. */
const fileBytes = 1024 * 1024;
const keptFiles = 3;
const longestField = 2000;

/** Appends to `agent.log` in the folder; with `echo` also to stderr. */
export function openLog(folder: string, options: { echo: boolean; time?: () => Date } = { echo: false }): Log {
  const file = join(folder, "agent.log");
  const time = options.time ?? (() => new Date());
  let written = size(file);
  return (event, fields) => {
    const line = `${escaped(JSON.stringify({ time: time().toISOString(), pid: process.pid, event, ...clipped(fields) }))}\n`;
    if (options.echo) process.stderr.write(line);
    try {
      if (written > 0 && written + line.length > fileBytes) {
        rotate(file);
        written = 0;
      }
      appendFileSync(file, line, { mode: 0o600 });
      written += line.length;
    } catch {
      // The disk is full or the folder is gone: the sessions matter more.
    }
  };
}

function rotate(file: string): void {
  for (let n = keptFiles - 1; n >= 0; n -= 1) {
    try {
      renameSync(n === 0 ? file : `${file}.${n}`, `${file}.${n + 1}`);
    } catch {
      // Not there yet.
    }
  }
}

function size(file: string): number {
  try {
    return statSync(file).size;
  } catch {
    return 0;
  }
}

function clipped(fields: LogFields): LogFields {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, typeof value === "string" ? value.slice(0, longestField) : value]),
  );
}

/** JSON escapes C0 only; C1 and direction marks act on terminals that show the file. The line stays JSON. */
function escaped(line: string): string {
  return line.replace(/[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => {
    let units = "";
    for (let n = 0; n < character.length; n += 1) units += `\\u${character.charCodeAt(n).toString(16).padStart(4, "0")}`;
    return units;
  });
}
