/**
 * Counts what a headless xterm does, in cells: the yardstick for the guard's costs, which no clock can be on a busy machine. Wraps private
 * methods of xterm 6.0.0 that touch cells one by one; a method that is gone fails here. Owns no judgement.
 */

/** Replaces `owner[name]` by a function that first adds `weigh(arguments)` to the count. */
function wrap(owner: object, name: string, weigh: (parameters: unknown[], self: object) => void): void {
  const original: unknown = Reflect.get(owner, name);
  if (typeof original !== "function") throw new Error(`this xterm has no ${name}`);
  Reflect.set(owner, name, function (this: object, ...parameters: unknown[]): unknown {
    weigh(parameters, this);
    return Reflect.apply(original, this, parameters);
  });
}

function child(owner: object, ...path: string[]): object {
  let value: unknown = owner;
  for (const name of path) {
    value = typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
  }
  if (typeof value !== "object" || value === null) throw new Error(`this xterm has no ${path.join(".")}`);
  return value;
}

const length = (line: object) => {
  const value: unknown = Reflect.get(line, "length");
  return typeof value === "number" ? value : 0;
};
const number = (value: unknown) => (typeof value === "number" ? value : 0);

let counting: { cells: number } | null = null;
const add = (cells: number) => {
  if (counting !== null) counting.cells += cells;
};
const wrapped = new WeakSet<object>();

/** Cells touched while `run` runs. `terminal`: any headless xterm. */
export function cellsTouched(terminal: object, run: () => void): number {
  const core = child(terminal, "_core");
  const lines = child(core, "_bufferService", "buffers", "normal", "lines");
  const get: unknown = Reflect.get(lines, "get");
  const line: unknown = typeof get === "function" ? Reflect.apply(get, lines, [0]) : null;
  if (typeof line !== "object" || line === null) throw new Error("this xterm has no lines");
  const once = (owner: object, wrapAll: (owner: object) => void) => {
    if (wrapped.has(owner)) return;
    wrapped.add(owner);
    wrapAll(owner);
  };
  once(Object.getPrototypeOf(line), (prototype) => {
    for (const name of ["fill", "insertCells", "deleteCells"]) wrap(prototype, name, (_parameters, self) => add(length(self)));
    wrap(prototype, "replaceCells", ([from, to], self) => add(Math.min(number(to), length(self)) - number(from)));
    wrap(prototype, "addCodepointToCell", () => add(1));
  });
  once(Object.getPrototypeOf(child(core, "_bufferService", "buffers", "normal")), (prototype) => {
    wrap(prototype, "getBlankLine", (_parameters, self) => add(number(Reflect.get(child(self, "_bufferService"), "cols"))));
    for (const name of ["nextStop", "prevStop"]) wrap(prototype, name, () => add(1));
  });
  once(child(core, "_inputHandler"), (handler) => wrap(handler, "print", ([, from, to]) => add(number(to) - number(from))));
  const count = { cells: 0 };
  counting = count;
  run();
  counting = null;
  return count.cells;
}
