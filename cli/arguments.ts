/**
 * The words after a verb: options, names, and what stands behind `--`. Owns reading them against what a command takes, and the common
 * readings of sizes, numbers and names. A wrong word is an `invalid` failure that names the usage.
 */
import { parseArgs } from "node:util";
import { fail, ok, type Result } from "../protocol/errors.js";
import { nameSchema, type Size, sizeSchema } from "../protocol/values.js";
import { printable } from "./printable.js";

/** `flag`: present or not. `text`: one value. `texts`: may be repeated. */
export type OptionKind = "flag" | "text" | "texts";

export interface Form {
  /** The whole line, as the help shows it. */
  usage: string;
  options?: Readonly<Record<string, OptionKind>>;
  /** Words that are no options: at least, at most. */
  words?: readonly [number, number];
  /** Words behind `--` are kept apart, for a command or a program's arguments. */
  rest?: boolean;
}

/** Options and words in the order they were given, for commands to whom it matters. */
export type Given = { word: string } | { option: string; value: string | null };

export class Arguments {
  readonly words: readonly string[];
  /** What stood behind `--`; null without one. */
  readonly rest: readonly string[] | null;
  readonly order: readonly Given[];

  constructor(order: readonly Given[], rest: readonly string[] | null) {
    this.order = order;
    this.rest = rest;
    this.words = order.flatMap((given) => ("word" in given ? [given.word] : []));
  }

  has(option: string): boolean {
    return this.order.some((given) => "option" in given && given.option === option);
  }

  /** The last value given. */
  text(option: string): string | null {
    return this.texts(option).at(-1) ?? null;
  }

  texts(option: string): string[] {
    return this.order.flatMap((given) => ("option" in given && given.option === option && given.value !== null ? [given.value] : []));
  }
}

/** Taken by every command. */
const common: Readonly<Record<string, OptionKind>> = { json: "flag", machine: "text", help: "flag" };
const shorts: Readonly<Record<string, string>> = { machine: "m", help: "h" };

export function readArguments(argv: readonly string[], form: Form): Result<Arguments> {
  const kinds = { ...common, ...form.options };
  const options = Object.fromEntries(
    Object.entries(kinds).map(([name, kind]) => {
      const type: "boolean" | "string" = kind === "flag" ? "boolean" : "string";
      const short = shorts[name];
      return [name, { type, multiple: kind === "texts", ...(short === undefined ? {} : { short }) }];
    }),
  );
  const cut = form.rest === true ? argv.indexOf("--") : -1;
  const args = cut < 0 ? [...argv] : argv.slice(0, cut);
  const wrong = (why: string) => fail("invalid", `${why} Usage: muxdeck ${form.usage}`);
  let tokens: readonly { kind: string; name?: string; value?: string | undefined }[];
  try {
    tokens = parseArgs({ args, options, allowPositionals: true, strict: true, tokens: true }).tokens;
  } catch (error) {
    const text = error instanceof Error ? (error.message.split("\n")[0] ?? "").replace(/\. To specify .*$/, ".") : "";
    return wrong(printable(text.replace(/([^.])$/, "$1.")));
  }
  const order = tokens.flatMap((token): Given[] => {
    if (token.kind === "positional") return [{ word: token.value ?? "" }];
    return token.kind === "option" && token.name !== undefined ? [{ option: token.name, value: token.value ?? null }] : [];
  });
  const result = new Arguments(order, cut < 0 ? null : argv.slice(cut + 1));
  const [least, most] = form.words ?? [0, 0];
  if (!result.has("help")) {
    if (result.words.length < least) return wrong("Something is missing.");
    if (result.words.length > most) return wrong(`"${printable(result.words[most] ?? "")}" is one word too many.`);
  }
  return ok(result);
}

/** `80x24`. */
export function readSize(text: string): Result<Size> {
  const [, cols, rows] = /^(\d{1,5})[xX×](\d{1,5})$/.exec(text) ?? [];
  const size = sizeSchema.safeParse({ cols: Number(cols), rows: Number(rows) });
  if (size.success) return ok(size.data);
  return fail("invalid", `"${printable(text)}" is no size. Give columns and rows as in 80x24: 2 to 1000, and 1 to 1000.`);
}

export function readName(text: string): Result<string> {
  const name = nameSchema.safeParse(text);
  if (name.success) return ok(name.data);
  return fail("invalid", "A name has 1 to 64 visible characters and does not begin with a dash. Choose another one.");
}

/** A whole number from 0 on. */
export function readCount(option: string, text: string): Result<number> {
  const count = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(count)) return ok(count);
  return fail("invalid", `--${option} takes a whole number, not "${printable(text)}".`);
}

/** Seconds, with a fraction if wanted, as milliseconds. */
export function readSeconds(option: string, text: string): Result<number> {
  const seconds = Number(text);
  // Node's timers hold 31 bits of milliseconds.
  if (/^\d+(\.\d+)?$/.test(text) && seconds <= 2_000_000) return ok(Math.round(seconds * 1000));
  return fail("invalid", `--${option} takes seconds up to 2000000, not "${printable(text)}".`);
}
