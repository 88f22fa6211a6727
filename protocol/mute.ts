/**
 * What an emulator on the client's side must not answer. The agent alone answers terminal queries, once; it also takes them out of the
 * output, so this is the second wall. Owns the list; every emulator that shows a session is muted by it before its first byte.
 * Refuses nothing else: titles, colours being set and modes go through.
 */

export interface SequenceId {
  prefix?: string;
  intermediates?: string;
  final: string;
}

/** Device attributes, status reports, mode and colour-scheme requests, version, keyboard protocol, window reports. */
export const mutedCsi: readonly SequenceId[] = [
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

/** DECRQSS and XTGETTCAP. */
export const mutedDcs: readonly SequenceId[] = [
  { intermediates: "$", final: "q" },
  { intermediates: "+", final: "q" },
];

/** Colours: muted when any field asks (`?`), heard when they set. */
export const mutedColourOsc: readonly number[] = [4, 5, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19];

/** Clipboard: a program may neither read it nor, unless the pane allows it in its own way, write it. */
export const mutedOsc: readonly number[] = [52];

/** The part of xterm's `terminal.parser` that muting uses. */
export interface MutableParser {
  registerCsiHandler(id: SequenceId, handler: () => boolean): { dispose(): void };
  registerDcsHandler(id: SequenceId, handler: () => boolean): { dispose(): void };
  registerOscHandler(ident: number, handler: (data: string) => boolean): { dispose(): void };
}

/** Silences an emulator. Handlers registered later run earlier: whoever wants OSC 52 registers after this. */
export function mute(parser: MutableParser): { dispose(): void } {
  const swallow = () => true;
  const hooks = [
    ...mutedCsi.map((id) => parser.registerCsiHandler(id, swallow)),
    ...mutedDcs.map((id) => parser.registerDcsHandler(id, swallow)),
    ...mutedColourOsc.map((ident) => parser.registerOscHandler(ident, (data) => data.split(";").includes("?"))),
    ...mutedOsc.map((ident) => parser.registerOscHandler(ident, swallow)),
  ];
  return {
    dispose() {
      for (const hook of hooks) hook.dispose();
    },
  };
}

/**
 * Whether this is what xterm sends by itself when a program asks for focus reports, and at each focus change: dropped, since the agent
 * writes one for all viewers.
 */
export function isFocusReport(data: string): boolean {
  return data === "\x1b[I" || data === "\x1b[O";
}
