/**
 * The layouts of all windows and the file they stand in. Owns when it is written (within a second of a change, and at the end), which
 * window's layout is given to whom after a restart, and what the user hears when it cannot be written. How a layout changes is its
 * window's business alone.
 */
import { z } from "zod";
import {
  type LayoutFile,
  type LayoutNode,
  layoutFileSchema,
  layoutVersion,
  type WindowLayout,
  windowLayoutSchema,
} from "../../link/layout.js";
import { JsonStore, type StoreFs } from "../../state/json-store.js";
import type { Clock } from "../../transport/transport.js";

/** From a change to the file: short enough that a crash costs less than a second, long enough for a drag to be one write. */
export const saveMs = 500;
/** Until the next try after a save that failed. */
export const retryMs = 10_000;
/** The schema's bound; windows nobody has open are forgotten first, the oldest first. */
const maxWindows = 100;

export interface LayoutStoreOptions {
  file: string;
  clock: Clock;
  /** Something the user must know. */
  notice: (text: string) => void;
  /** For the time in a sentence; defaults to the wall clock. */
  timeOfDay?: () => Date;
  fs?: StoreFs;
}

export class LayoutStore {
  readonly #options: LayoutStoreOptions;
  readonly #store: JsonStore<LayoutFile>;
  /** The most recently used last. */
  #windows: Map<string, WindowLayout>;
  #dirty = false;
  #cancel: (() => void) | null = null;
  #dueAt = 0;
  #savedAt: Date | null = null;
  #troubled = false;
  /** What went wrong at the start, in sentences. */
  readonly notices: string[];

  constructor(options: LayoutStoreOptions) {
    this.#options = options;
    this.#store = new JsonStore<LayoutFile>({
      file: options.file,
      schema: layoutFileSchema,
      version: layoutVersion,
      empty: () => ({ version: layoutVersion, windows: [] }),
      salvage,
      ...(options.fs === undefined ? {} : { fs: options.fs }),
    });
    const loaded = this.#store.load();
    this.notices = loaded.notices;
    this.#windows = new Map(loaded.value.windows.map((layout) => [layout.windowId, layout]));
  }

  /** Every window that is kept, the most recently used last. */
  get windows(): WindowLayout[] {
    return [...this.#windows.values()];
  }

  get(windowId: string): WindowLayout | null {
    return this.#windows.get(windowId) ?? null;
  }

  /** The most recently used layout that none of `taken` has; null when there is none. */
  free(taken: ReadonlySet<string>): WindowLayout | null {
    return this.windows.reverse().find((layout) => !taken.has(layout.windowId)) ?? null;
  }

  /** Keeps a window's layout. Its id and where the window stood are not the page's to say. `open`: windows that must not be forgotten. */
  put(windowId: string, layout: WindowLayout, open: ReadonlySet<string>): void {
    const bounds = this.#windows.get(windowId)?.bounds ?? null;
    this.#windows.delete(windowId);
    this.#windows.set(windowId, { ...layout, windowId, bounds });
    for (const id of this.#windows.keys()) {
      if (this.#windows.size <= maxWindows) break;
      if (!open.has(id)) this.#windows.delete(id);
    }
    this.#changed();
  }

  /** Where the window of the system stands now. A window without a layout yet gets an empty one. */
  putBounds(windowId: string, bounds: NonNullable<WindowLayout["bounds"]>): void {
    const known = this.#windows.get(windowId) ?? emptyLayout(windowId);
    this.#windows.set(windowId, { ...known, bounds });
    this.#changed();
  }

  forget(windowId: string): void {
    if (this.#windows.delete(windowId)) this.#changed();
  }

  /** Writes now what is not written yet. */
  flush(): void {
    this.#cancel?.();
    this.#cancel = null;
    if (!this.#dirty) return;
    const saved = this.#store.save({ version: layoutVersion, windows: this.windows });
    if (saved.ok) {
      this.#dirty = false;
      this.#troubled = false;
      this.#savedAt = this.#now();
      return;
    }
    this.#schedule(retryMs);
    // Said once, until a save works again: the disk does not get fuller by saying it.
    if (this.#troubled) return;
    this.#troubled = true;
    this.#options.notice(troubleSentence(saved.error.message, this.#savedAt));
  }

  /** The last write; no timer is left. */
  close(): void {
    this.flush();
    this.#cancel?.();
    this.#cancel = null;
  }

  #changed(): void {
    this.#dirty = true;
    // Sooner than the next try of a save that failed: what the user does now may be what helps.
    if (this.#cancel === null || this.#dueAt > this.#options.clock.now() + saveMs) this.#schedule(saveMs);
  }

  #schedule(ms: number): void {
    this.#cancel?.();
    this.#dueAt = this.#options.clock.now() + ms;
    this.#cancel = this.#options.clock.after(ms, () => {
      this.#cancel = null;
      this.flush();
    });
  }

  #now(): Date {
    return this.#options.timeOfDay?.() ?? new Date();
  }
}

/** Whether a layout shows any session; one that does not is not worth a restart. */
export function hasPanes(layout: WindowLayout): boolean {
  return layout.tabs.some((tab) => tab.root !== null && countPanes(tab.root) > 0);
}

function countPanes(node: LayoutNode): number {
  return node.kind === "pane" ? 1 : node.children.reduce((sum, child) => sum + countPanes(child), 0);
}

function emptyLayout(windowId: string): WindowLayout {
  return { windowId, tabs: [], activeTab: null, sidebar: { shown: true, width: 256 }, bounds: null };
}

/** Interface §7, sentence 23; another reason than a full disk is named as the system names it. */
function troubleSentence(reason: string, savedAt: Date | null): string {
  const full = /ENOSPC|EDQUOT|disk is full/i.test(reason);
  const kept = savedAt === null ? "the layout on disk is kept" : `the layout of ${clockTime(savedAt)} is kept`;
  return full
    ? `The layout was not saved: the disk is full. Sessions keep running, ${kept}. Free some space.`
    : `The layout was not saved. Sessions keep running, ${kept}. ${reason}`.slice(0, 500);
}

function clockTime(date: Date): string {
  return `${String(date.getHours()).padStart(2, "0")}:${String(date.getMinutes()).padStart(2, "0")}`;
}

const looseFileSchema = z.object({ version: z.literal(layoutVersion), windows: z.array(z.unknown()) });

/** One damaged window does not cost the others. */
function salvage(value: unknown): { value: LayoutFile; notices: string[] } | null {
  const file = looseFileSchema.safeParse(value);
  if (!file.success) return null;
  const windows = file.data.windows.flatMap((window) => {
    const parsed = windowLayoutSchema.safeParse(window);
    return parsed.success ? [parsed.data] : [];
  });
  if (windows.length === 0) return null;
  const lost = file.data.windows.length - windows.length;
  return {
    value: { version: layoutVersion, windows: windows.slice(-maxWindows) },
    notices: [`The layout of ${lost === 1 ? "a window" : `${lost} windows`} is damaged and was left out. Its sessions keep running.`],
  };
}
