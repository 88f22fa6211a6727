/**
 * Lines of a stream for `for await`. Owns the lines that nobody took yet, and holding up the output when they are many: a slow loop slows
 * its own stream, and loses nothing.
 */
import { LineSplitter } from "./lines.js";

/** Lines that wait for their loop before the output does. */
const waitingLines = 1000;

export interface LineSource {
  /** Live output; the next piece waits for the promise that the handler returns. */
  output(handler: (data: Uint8Array) => Promise<void> | undefined): () => void;
  /** Output is missing here: a line does not go on behind it. */
  gap(handler: () => void): () => void;
  /** Nothing more comes. */
  done: Promise<unknown>;
}

export function lineIterator(source: LineSource): AsyncIterableIterator<string> {
  const splitter = new LineSplitter();
  const ready: string[] = [];
  let wake: (() => void) | null = null;
  let goOn: (() => void) | null = null;
  let over = false;
  const add = (lines: string[]) => {
    ready.push(...lines);
    wake?.();
    wake = null;
  };
  const letGo = () => {
    goOn?.();
    goOn = null;
  };
  const offs = [
    source.output((data) => {
      add(splitter.push(data));
      if (ready.length < waitingLines) return undefined;
      return new Promise<void>((done) => {
        goOn = done;
      });
    }),
    source.gap(() => add(splitter.end())),
  ];
  const stop = () => {
    over = true;
    for (const off of offs) off();
    letGo();
  };
  void source.done.then(() => {
    stop();
    add(splitter.end());
  });
  const iterator: AsyncIterableIterator<string> = {
    next: async () => {
      while (ready.length === 0 && !over) {
        letGo();
        await new Promise<void>((done) => {
          wake = done;
        });
      }
      const line = ready.shift();
      return line === undefined ? { done: true, value: undefined } : { done: false, value: line };
    },
    return: () => {
      stop();
      ready.length = 0;
      wake?.();
      return Promise.resolve({ done: true, value: undefined });
    },
    [Symbol.asyncIterator]: () => iterator,
  };
  return iterator;
}
