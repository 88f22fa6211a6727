/**
 * Mends what output can break in xterm 6.0.0, on both sides alike: a repair that only one of two emulators had would make their screens
 * differ. Owns the list of such faults. Every emulator of a session gets it before its first byte. Refuses taste: what xterm merely does
 * in another way than other terminals stays as it is.
 */

interface RepairBuffer {
  x: number;
  y: number;
  readonly lines: { readonly length: number };
}

interface RepairHandler {
  readonly _activeBuffer: RepairBuffer;
  eraseInDisplay(params: { params: number[] }, respectProtect: boolean): boolean;
  eraseInLine(params: { params: number[] }, respectProtect: boolean): boolean;
}

export interface RepairableTerminal {
  readonly cols: number;
  readonly parser: {
    registerCsiHandler(id: { prefix?: string; final: string }, handler: (params: (number | number[])[]) => boolean): { dispose(): void };
  };
}

function handlerOf(terminal: object): RepairHandler | null {
  const core: unknown = Reflect.get(terminal, "_core");
  const handler: unknown = typeof core === "object" && core !== null ? Reflect.get(core, "_inputHandler") : null;
  return isHandler(handler) ? handler : null;
}

function isHandler(value: unknown): value is RepairHandler {
  if (typeof value !== "object" || value === null) return false;
  return ["eraseInDisplay", "eraseInLine"].every((name) => typeof Reflect.get(value, name) === "function");
}

/**
 * Erasing to the beginning of the screen (`CSI 1 J`) in the bottom right corner throws, and the terminal parses nothing ever after: xterm
 * clears the wrap flag of the row below without looking whether there is one.
 */
export function repair(terminal: RepairableTerminal): void {
  const handler = handlerOf(terminal);
  if (handler === null) throw new Error("this xterm has other private fields than 6.0.0");
  const eraseAbove = (respectProtect: boolean) => (params: (number | number[])[]) => {
    const buffer = handler._activeBuffer;
    const { x, y } = buffer;
    if (params[0] !== 1 || x + 1 < terminal.cols || y + 1 < buffer.lines.length) return false;
    handler.eraseInLine({ params: [2] }, respectProtect);
    if (y > 0) {
      buffer.x = terminal.cols - 1;
      buffer.y = y - 1;
      handler.eraseInDisplay({ params: [1] }, respectProtect);
      buffer.x = x;
      buffer.y = y;
    }
    return true;
  };
  terminal.parser.registerCsiHandler({ final: "J" }, eraseAbove(false));
  terminal.parser.registerCsiHandler({ prefix: "?", final: "J" }, eraseAbove(true));
}
