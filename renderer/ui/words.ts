/**
 * Texts from outside made fit to show, and times and sizes in words. Owns what may appear in a name (nothing that turns text around or
 * hides) and how long it may be. Sentences of one part stand where they are shown.
 */

/** Characters of a foreign text that are shown; the rest is an ellipsis. */
const mostShown = 256;

/** Controls, bidi marks and overrides, line and paragraph separators, zero-width: a title is one plain line. */
const notShown = /[\p{Cc}\p{Zl}\p{Zp}]|(?![\u{fe00}-\u{fe0f}\u{200d}])\p{Cf}/gu;

/** A name, title or command from a program, a file or the network, as it may stand in the page. */
export function plain(text: string): string {
  const clean = text.replace(notShown, "");
  const characters = clean.length > mostShown ? [...clean] : null;
  return characters === null || characters.length <= mostShown ? clean : `${characters.slice(0, mostShown - 1).join("")}…`;
}

/** A folder with the home folder as `~`, cut in the middle. */
export function plainPath(path: string, home: string, most = 48): string {
  const inHome = home !== "" && (path === home || path.startsWith(`${home}/`));
  const shown = plain(inHome ? `~${path.slice(home.length)}` : path);
  if (shown.length <= most) return shown;
  const half = Math.floor((most - 1) / 2);
  return `${shown.slice(0, half)}…${shown.slice(-half)}`;
}

/** A program with its arguments, as it was started. */
export function plainCommand(command: readonly string[]): string {
  return plain(command.join(" "));
}

/** `6 s`, `4 min`, `2 h`, `3 d`: one unit, for what ticks in place. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} d`;
}

/** `6 min 2 s`: two units, for what is over. */
export function exactDuration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 24 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** Whole seconds left, at least 1 while anything is left: a countdown that never says 0 and waits. */
export function countdown(ms: number): string {
  return duration(Math.max(1000, Math.ceil(ms / 1000) * 1000));
}

/** Decimal units: `14 bytes`, `48 kB`, `1.2 MB`. */
export function byteCount(bytes: number): string {
  if (bytes < 1000) return bytes === 1 ? "1 byte" : `${bytes} bytes`;
  if (bytes < 1_000_000) return `${Math.round(bytes / 1000)} kB`;
  const megabytes = bytes / 1_000_000;
  return megabytes < 1000 ? `${oneDigit(megabytes)} MB` : `${oneDigit(megabytes / 1000)} GB`;
}

function oneDigit(value: number): string {
  return value < 10 ? value.toFixed(1) : String(Math.round(value));
}

export function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** Names of the signals that end programs, with their numbers, as people look them up. */
const signalNumbers: Record<string, number> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGPIPE: 13,
  SIGTERM: 15,
};

export function signalWithNumber(name: string): string {
  const number = signalNumbers[name];
  return number === undefined ? name : `${name} (${number})`;
}

/** Two letters that stand for a person. */
export function initials(name: string): string {
  const words = plain(name)
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== "");
  const letters = words.length > 1 ? words.slice(0, 2).map((word) => [...word][0]) : [...(words[0] ?? "?")].slice(0, 2);
  return letters.join("").toUpperCase();
}
