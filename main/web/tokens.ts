/**
 * The two kinds of token of the browser host: the one-time token in a printed address, and the per-tab token it is exchanged for. Keeps
 * digests only, compares them in constant time, and forgets the oldest when there are too many.
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/** 256 bits: guessing is out of the question, so no penalty box is needed. */
const tokenBytes = 32;
/** Addresses printed and not used yet. */
const maxPending = 64;
/** Tabs that were let in since the start; a tab keeps its token over reloads. */
const maxTabs = 1024;

/** What the holder of a token gets: a window of its own, or one that is free (after a restart). */
export type TabKind = "any" | "new";

interface Entry {
  digest: Buffer;
  kind: TabKind;
}

export class Tokens {
  #pending: Entry[] = [];
  #tabs: Entry[] = [];

  /** A new one-time token. `new` for a window the user asked for, `any` for a printed address. */
  mint(kind: TabKind = "any"): string {
    return add(this.#pending, kind, maxPending);
  }

  /** Trades a one-time token for a per-tab token; null when it is unknown or was used. */
  exchange(token: string): string | null {
    const entry = find(this.#pending, token);
    if (entry === null) return null;
    this.#pending = this.#pending.filter((other) => other !== entry);
    return add(this.#tabs, entry.kind, maxTabs);
  }

  /** What a per-tab token stands for; null when it is unknown. */
  check(token: string): TabKind | null {
    return find(this.#tabs, token)?.kind ?? null;
  }
}

function add(entries: Entry[], kind: TabKind, most: number): string {
  const token = randomBytes(tokenBytes).toString("base64url");
  entries.push({ digest: digestOf(token), kind });
  if (entries.length > most) entries.shift();
  return token;
}

/** Looks at every entry, so that the time taken says nothing about which one it was. */
function find(entries: readonly Entry[], token: string): Entry | null {
  const digest = digestOf(token);
  let found: Entry | null = null;
  for (const entry of entries) if (timingSafeEqual(entry.digest, digest)) found = entry;
  return found;
}

/** Digests have one length, which `timingSafeEqual` insists on. */
function digestOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
