/**
 * Makes an emulator answer no query: the agent alone answers, once, for all who watch. The agent takes queries out of the output already;
 * this is the second wall, for what a program may find a way to ask. Everything else that a sequence does is left alone.
 */

/** What is needed of xterm's parser; the headless one has the same. */
export interface MutableTerminal {
  parser: {
    registerCsiHandler(
      id: { prefix?: string; intermediates?: string; final: string },
      handler: (params: (number | number[])[]) => boolean,
    ): { dispose(): void };
    registerDcsHandler(
      id: { prefix?: string; intermediates?: string; final: string },
      handler: (data: string) => boolean,
    ): { dispose(): void };
    registerOscHandler(ident: number, handler: (data: string) => boolean): { dispose(): void };
  };
}

/** Device attributes, status reports, version, mode reports, keyboard flags, window reports: each is only ever a question. */
const csiQueries: { prefix?: string; intermediates?: string; final: string }[] = [
  { final: "c" },
  { prefix: ">", final: "c" },
  { prefix: "=", final: "c" },
  { final: "n" },
  { prefix: "?", final: "n" },
  { prefix: ">", final: "q" },
  { intermediates: "$", final: "p" },
  { prefix: "?", intermediates: "$", final: "p" },
  { prefix: "?", final: "u" },
  { final: "t" },
];

/** Status string and terminfo requests. */
const dcsQueries = [
  { intermediates: "$", final: "q" },
  { intermediates: "+", final: "q" },
];

/** Palette, foreground, background, cursor colour: a question when a field is `?`, else they set it. */
const colourCommands = [4, 10, 11, 12];

/** Clipboard: reading is never answered, writing is not offered. */
const clipboardCommand = 52;

export function mute(terminal: MutableTerminal): void {
  const { parser } = terminal;
  for (const id of csiQueries) parser.registerCsiHandler(id, () => true);
  for (const id of dcsQueries) parser.registerDcsHandler(id, () => true);
  for (const ident of colourCommands) parser.registerOscHandler(ident, (data) => data.split(";").includes("?"));
  parser.registerOscHandler(clipboardCommand, () => true);
}

/**
 * Whether a chunk of xterm's is no typing but its report of gained or lost focus. It is dropped: the agent tells the program, once for all
 * who watch, from `pane-focus`.
 */
export function isFocusReport(data: string): boolean {
  return data === "\u001b[I" || data === "\u001b[O";
}
