/**
 * The events of one stream on their way to a program's handlers: in order, each after the handlers of the one before it are done. Owns
 * waiting for asynchronous handlers, keeping events for which there is no handler yet, and what happens when a handler throws.
 */

/** Called with each event; the next one waits for a promise it returns. */
export type Handler<T> = (event: T) => unknown;

interface Waiting<Map, K extends keyof Map = keyof Map> {
  kind: K;
  event: Map[K];
  bytes: number;
  /** Runs when all handlers are done with it, or when it was given up. */
  settled: () => void;
}

export interface EventQueueOptions<Map> {
  /** A handler threw or rejected. */
  threw(error: unknown): void;
  /** Bytes of events of one kind that are kept for its first handler. */
  keepBytes: number;
  /** Events in number that are kept for the first handler of their kind. */
  keepEvents: number;
  /** The oldest kept events of a kind were given up before anybody asked for them. */
  gaveUp(kind: keyof Map, event: Map[keyof Map]): void;
}

type Handlers<Map> = { [K in keyof Map]?: Set<Handler<Map[K]>> };

export class EventQueue<Map extends object> {
  readonly #options: EventQueueOptions<Map>;
  readonly #handlers: Handlers<Map> = {};
  /** Kinds that had a handler once: what comes while they have none is not kept. */
  readonly #seen = new Set<keyof Map>();
  #queue: Waiting<Map>[] = [];
  #kept: Waiting<Map>[] = [];
  #busy = false;
  #closed = false;
  #idle: (() => void)[] = [];

  constructor(options: EventQueueOptions<Map>) {
    this.#options = options;
  }

  /** Adds a handler; what was kept for it comes first, a moment later. Returns how to remove it. */
  on<K extends keyof Map>(kind: K, handler: Handler<Map[K]>): () => void {
    const handlers: Set<Handler<Map[K]>> = this.#handlers[kind] ?? new Set();
    this.#handlers[kind] = handlers;
    handlers.add(handler);
    if (!this.#seen.has(kind)) {
      this.#seen.add(kind);
      const own = this.#kept.filter((waiting) => waiting.kind === kind);
      this.#kept = this.#kept.filter((waiting) => waiting.kind !== kind);
      this.#queue.unshift(...own);
      if (own.length > 0) queueMicrotask(() => this.#pump());
    }
    return () => handlers.delete(handler);
  }

  has(kind: keyof Map): boolean {
    return (this.#handlers[kind]?.size ?? 0) > 0;
  }

  push<K extends keyof Map>(kind: K, event: Map[K], more: { bytes?: number; settled?: () => void } = {}): void {
    if (this.#closed) return;
    this.#queue.push({ kind, event, bytes: more.bytes ?? 0, settled: more.settled ?? (() => {}) });
    this.#pump();
  }

  /** Resolves when everything pushed so far has been handled or kept. */
  drained(): Promise<void> {
    if (!this.#busy && this.#queue.length === 0) return Promise.resolve();
    return new Promise((done) => this.#idle.push(done));
  }

  /** No handler is called any more. */
  close(): void {
    this.#closed = true;
    this.#queue = [];
    this.#kept = [];
    this.#rest();
  }

  #pump(): void {
    if (this.#busy) return;
    this.#busy = true;
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
      const pending = this.#deliver(next);
      if (pending) {
        void pending.then(() => {
          this.#busy = false;
          this.#pump();
        });
        return;
      }
    }
    this.#busy = false;
    this.#rest();
  }

  #rest(): void {
    for (const done of this.#idle.splice(0)) done();
  }

  /** A promise when a handler is not done yet. */
  #deliver(waiting: Waiting<Map>): Promise<void> | null {
    const { kind, event, settled } = waiting;
    if (!this.#seen.has(kind)) {
      this.#keep(waiting);
      settled();
      return null;
    }
    const results: Promise<unknown>[] = [];
    for (const handler of [...(this.#handlers[kind] ?? [])]) {
      try {
        const result = handler(event);
        if (isPromise(result)) results.push(result.catch((error: unknown) => this.#options.threw(error)));
      } catch (error) {
        this.#options.threw(error);
      }
    }
    if (results.length === 0) {
      settled();
      return null;
    }
    return Promise.all(results).then(settled);
  }

  #keep(waiting: Waiting<Map>): void {
    this.#kept.push(waiting);
    const own = this.#kept.filter((one) => one.kind === waiting.kind);
    let bytes = own.reduce((sum, one) => sum + one.bytes, 0);
    let count = own.length;
    for (const oldest of own) {
      if (bytes <= this.#options.keepBytes && count <= this.#options.keepEvents) break;
      bytes -= oldest.bytes;
      count--;
      this.#kept.splice(this.#kept.indexOf(oldest), 1);
      this.#options.gaveUp(oldest.kind, oldest.event);
    }
  }
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function" && "catch" in value;
}
