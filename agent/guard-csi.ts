/**
 * What becomes of each control sequence that is not a string: kept, kept with smaller counts, or taken out as a query. Owns the list of
 * CSI and ESC queries, the bounds of counts and which sequence costs what. Refuses to know bytes and chunks.
 *
 * Also taken out: window manipulation (CSI 1-10 t, 24 and above), which no pane obeys but a terminal behind `muxdeck attach` would; and the
 * call of a stored macro, which can hold a query. Title stack (22 t, 23 t), modes and unknown sequences stay.
 */
import { type Costs, mostCells } from "./guard-costs.js";
import type { Parameters } from "./guard-parameters.js";

export type Verdict =
  | { kind: "keep"; cost: number }
  /** The parameters were cut down: write the sequence again. */
  | { kind: "clamp"; cost: number }
  /** `query`: what the responder is to answer, in clean 7-bit form; null where nobody answers. */
  | { kind: "drop"; query: Uint8Array | null };

/** Cursor moves stop at the edge of the screen, which is 1000 at most. */
const farthest = 9999;

/** A larger mode number exists nowhere. */
const largestMode = 0xffff;

const free: Verdict = { kind: "keep", cost: 0 };
const unanswered: Verdict = { kind: "drop", query: null };

type Rule = (parameters: Parameters, costs: Costs, marks: number) => Verdict;

/** Prefix, intermediates and final byte of a sequence as one number, as xterm looks it up. */
export function sequenceId(collected: readonly number[], final: number): number {
  let id = 0;
  for (const byte of collected) id = (id << 8) | byte;
  return (id << 8) | final;
}

/** @param marks combining marks on the last character printed, if nothing came in between: what REP would repeat with it */
export function judgeCsi(id: number, parameters: Parameters, costs: Costs, marks: number): Verdict {
  const rule = csiRules.get(id);
  return rule === undefined ? free : rule(parameters, costs, marks);
}

export function judgeEscape(id: number, costs: Costs): Verdict {
  switch (id) {
    case 0x63: // c RIS
      return { kind: "keep", cost: costs.reset() };
    case 0x44: // D IND
    case 0x45: // E NEL
      return lineFeed(costs);
    case 0x4d: // M RI
      costs.cursorMoved();
      return { kind: "keep", cost: costs.scroll(1) };
    case 0x38: // 8 DECRC
      costs.cursorMoved();
      return free;
    case 0x2338: // # 8 DECALN
      costs.cursorMoved();
      return { kind: "keep", cost: costs.screen() };
    case 0x5a: // Z DECID
      return unanswered;
    default:
      return free;
  }
}

/** A control of C1 alone: IND and NEL cost a line; DECID is a query. */
export function judgeC1(code: number, costs: Costs): Verdict {
  if (code === 0x9a) return unanswered;
  return code === 0x84 || code === 0x85 ? lineFeed(costs) : free;
}

function lineFeed(costs: Costs): Verdict {
  const cost = costs.lineFeed;
  costs.fed();
  return { kind: "keep", cost };
}

/** Prefix, parameters, intermediates and final byte, as they follow CSI or DCS. */
export function writeBody(collected: readonly number[], parameters: Parameters, final: number): string {
  const prefixed = (collected[0] ?? 0) >= 0x3c;
  const prefix = prefixed ? String.fromCharCode(collected[0] ?? 0) : "";
  return prefix + parameters.toString() + String.fromCharCode(...(prefixed ? collected.slice(1) : collected), final);
}

export function ascii(text: string): Uint8Array {
  return Buffer.from(text, "latin1");
}

function keep(cost: number): Verdict {
  return cost === 0 ? free : { kind: "keep", cost };
}

function query(text: string): Verdict {
  return { kind: "drop", query: ascii(text) };
}

/** Every parameter that is a position or a distance. */
function clampMoves(parameters: Parameters): Verdict {
  let cut = false;
  for (let index = 0; index < parameters.length; index += 1) cut = parameters.clamp(index, farthest) || cut;
  return cut ? { kind: "clamp", cost: 0 } : free;
}

/** A count: at most `limit`; its cost by the count that is left. */
function clampCount(parameters: Parameters, limit: number, cost: (count: number) => number): Verdict {
  const cut = parameters.clamp(0, limit);
  return { kind: cut ? "clamp" : "keep", cost: cost(parameters.first || 1) };
}

const drop: Rule = () => unanswered;

const move: Rule = (parameters, costs) => {
  costs.cursorMoved();
  return clampMoves(parameters);
};

const scrollRows: Rule = (parameters, costs) => {
  costs.cursorMoved();
  return clampCount(parameters, costs.rows, (count) => costs.scroll(count));
};

const changeRow: Rule = (parameters, costs) => clampCount(parameters, costs.cells, () => costs.cols);

const changeColumns: Rule = (parameters, costs) => clampCount(parameters, costs.cells, () => costs.screen());

const tabs: Rule = (parameters, costs) => clampCount(parameters, Math.min(costs.cells, mostCells), (count) => count);

/** Prints n times a character with all its marks; in insert mode each time moving the row. */
const repeat: Rule = (parameters, costs, marks) => {
  const each = (1 + marks) * costs.character;
  return clampCount(parameters, Math.max(1, Math.min(costs.cells, Math.floor(mostCells / each))), (count) => count * each);
};

const eraseDisplay: Rule = (parameters, costs) => {
  const cost = costs.screen();
  if (parameters.first === 2) costs.erased();
  return keep(cost);
};

const eraseLine: Rule = (_parameters, costs) => keep(costs.cols);

const modeReport =
  (prefix: string): Rule =>
  (parameters) =>
    parameters.first > largestMode ? unanswered : query(`\x1b[${prefix}${parameters.first}$p`);

/** A query that takes one of these numbers; with others nobody answers. */
const asks =
  (numbers: readonly number[], text: (number: number) => string): Rule =>
  (parameters) =>
    numbers.includes(parameters.first) ? query(text(parameters.first)) : unanswered;

const windowOperation: Rule = (parameters) => {
  const operation = parameters.first;
  if (operation === 14 && parameters.at(1) === 2) return unanswered;
  if (operation === 14 || operation === 16 || operation === 18) return query(`\x1b[${operation}t`);
  const stays = operation === 0 || operation === 12 || operation === 17 || operation === 22 || operation === 23;
  return stays ? free : unanswered;
};

const restoreCursor: Rule = (_parameters, costs) => {
  costs.cursorMoved();
  return free;
};

const csiRules = new Map<number, Rule>();
const add = (ids: readonly string[], rule: Rule) => {
  for (const id of ids) csiRules.set(sequenceId([...Buffer.from(id.slice(0, -1), "latin1")], id.charCodeAt(id.length - 1)), rule);
};

add(["A", "B", "E", "F", "H", "d", "e", "f"], move);
add(["C", "D", "G", "`", "a"], clampMoves);
add(["L", "M", "S", "T"], scrollRows);
add(["@", "P", "X"], changeRow);
add(["'}", "'~", " @", " A"], changeColumns);
add(["I", "Z"], tabs);
add(["b"], repeat);
add(["J", "?J"], eraseDisplay);
add(["K", "?K"], eraseLine);
add(["u"], restoreCursor);
add(["t"], windowOperation);
add(["h"], (parameters, costs) => {
  costs.setAnsiModes(parameters, true);
  return free;
});
add(["l"], (parameters, costs) => {
  costs.setAnsiModes(parameters, false);
  return free;
});
add(["?h"], (parameters, costs) => keep(costs.setPrivateModes(parameters, true)));
add(["?l"], (parameters, costs) => keep(costs.setPrivateModes(parameters, false)));
add(["r"], (parameters, costs) => {
  costs.setRegion(parameters.first, parameters.at(1));
  return free;
});
add(["!p"], (_parameters, costs) => {
  costs.softReset();
  return free;
});

add(
  ["c"],
  asks([0], () => "\x1b[c"),
);
add(
  [">c"],
  asks([0], () => "\x1b[>c"),
);
add(
  [">q"],
  asks([0], () => "\x1b[>q"),
);
add(
  ["n"],
  asks([5, 6], (number) => `\x1b[${number}n`),
);
add(
  ["?n"],
  asks([6, 996], (number) => `\x1b[?${number}n`),
);
add(["$p"], modeReport(""));
add(["?$p"], modeReport("?"));
/**
 * Nobody answers these here: DA3, keyboard protocol, XTQMODKEYS, XTSMGRAPHICS, DECREQTPARM, DECRQUPSS, DECRQTSR, DECRQPSR, DECRQCRA,
 * DECRQDE, DECRQLP, DECRQPKFM, XTREPORTCOLORS, XTREPORTSGR, multiple cursors, and DECINVM, which plays a stored macro.
 */
add(["=c", "?u", "?m", "?S", "x", "&u", "$u", "$w", "*y", '"v', "'|", "+x", "#R", "#|", "> q", "*z"], drop);
