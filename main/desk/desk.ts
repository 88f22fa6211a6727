/**
 * The desk: the back half of the app, the same in Electron and in the browser host. Owns which windows there are and whose layout each
 * has, the machines, the drafts and the settings; knows neither Electron nor HTTP. One a state folder: the door (door.ts) sees to that.
 */
import { randomBytes } from "node:crypto";
import type { WindowLayout } from "../../link/layout.js";
import type { DeskMessage, HelloReply } from "../../link/messages.js";
import type { Settings } from "../../link/settings.js";
import { ok, type Result } from "../../protocol/errors.js";
import { productVersion } from "../../protocol/values.js";
import type { Clock, Transport } from "../../transport/transport.js";
import { Drafts } from "./draft.js";
import type { UserFacts } from "./facts.js";
import { hasPanes, LayoutStore } from "./layout-store.js";
import { type MachineOptions, Machines } from "./machines.js";
import { SettingsStore } from "./settings-store.js";
import { gateUrl } from "./url-gate.js";
import { DeskWindow, type WindowDesk } from "./window.js";

/** What only the host can do. */
export interface DeskHost {
  readonly kind: "electron" | "browser";
  /** Opens another window, empty. */
  openWindow(): Promise<Result<Record<string, never>>>;
  /** Opens an address that passed the gate. */
  openLink(address: string): Promise<Result<Record<string, never>>>;
}

export interface DeskOptions {
  host: DeskHost;
  clock: Clock;
  machines: MachineOptions[];
  /** Files of settings and layouts. */
  files: { settings: string; layouts: string };
  user: UserFacts;
  /** Environment of sessions started on this machine. */
  sessionEnv: Record<string, string>;
}

/** How a page comes to its window. */
export interface AttachOptions {
  /** The window that the host made for this page (Electron); null: the page says its own, or gets one. */
  windowId: string | null;
  /** Asked for by the user as a new window: it gets no kept layout. */
  fresh: boolean;
}

/** A reloaded page may be back before the desk heard that it went; a copied tab never lets go of the id. */
const letGoMs = 1000;
/** What a page keeps as its window's id. */
const windowIdPattern = /^[A-Za-z0-9_-]{1,64}$/;

export class Desk implements WindowDesk {
  readonly machines: Machines;
  readonly drafts = new Drafts();
  readonly clock: Clock;
  readonly sessionEnv: Record<string, string>;
  readonly #options: DeskOptions;
  readonly #layouts: LayoutStore;
  readonly #settings: SettingsStore;
  readonly #windows = new Map<DeskWindow, AttachOptions>();
  readonly #settingsHandlers = new Set<(settings: Settings) => void>();
  /** Sentences for the first page that comes. */
  #notices: string[];
  /** Told each time a window goes. */
  readonly #gone = new Set<() => void>();
  #closing: Promise<void> | null = null;

  constructor(options: DeskOptions) {
    this.#options = options;
    this.clock = options.clock;
    this.sessionEnv = options.sessionEnv;
    this.#settings = new SettingsStore(options.files.settings);
    this.#layouts = new LayoutStore({ file: options.files.layouts, clock: options.clock, notice: (text) => this.notice(text) });
    this.#notices = [...this.#settings.notices, ...this.#layouts.notices];
    this.machines = new Machines(options.clock);
    this.machines.onChange(() => this.#tellAll({ t: "machines", machines: this.machines.states() }));
    for (const machine of options.machines) this.machines.add(machine);
  }

  /** A page's transport. What it says is checked; it is nobody's window until its hello. */
  attach(transport: Transport, options: AttachOptions): void {
    if (this.#closing !== null) {
      transport.close();
      return;
    }
    const window = new DeskWindow(transport, this);
    this.#windows.set(window, options);
  }

  /** Windows of the last time that nobody has open, the most recently used last. */
  keptWindows(): WindowLayout[] {
    const taken = this.#takenIds();
    return this.#layouts.windows.filter((layout) => !taken.has(layout.windowId));
  }

  /** An id for a window that the host is about to make. */
  newWindowId(): string {
    return randomBytes(12).toString("hex");
  }

  putBounds(windowId: string, bounds: NonNullable<WindowLayout["bounds"]>): void {
    this.#layouts.putBounds(windowId, bounds);
  }

  /** The user closed this window while others stay: it does not come back. Its sessions go on. */
  forgetWindow(windowId: string): void {
    // Its page's last words must not bring it back.
    for (const [window, options] of this.#windows) if (options.windowId === windowId) window.close();
    this.#layouts.forget(windowId);
  }

  /** Something the user should know, in every window; in the first one to come when there is none. */
  notice(text: string): void {
    if (!this.#tellAll({ t: "notice", text })) this.#notices.push(text);
  }

  onSettings(handler: (settings: Settings) => void): () => void {
    this.#settingsHandlers.add(handler);
    return () => this.#settingsHandlers.delete(handler);
  }

  /** Saves the layouts, says goodbye to pages and agents. Sessions go on. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#layouts.close();
    for (const window of this.#windows.keys()) window.close();
    await this.machines.close();
  }

  // ---- what windows ask --------------------------------------------------------------------------------------------------------

  settings(): Settings {
    return this.#settings.current;
  }

  async hello(window: DeskWindow, asked: string | null): Promise<HelloReply> {
    window.windowId = await this.#idFor(window, asked);
    const notices = this.#notices;
    this.#notices = [];
    return {
      windowId: window.windowId,
      host: this.#options.host.kind,
      product: productVersion,
      ...this.#options.user,
      layout: this.#layouts.get(window.windowId),
      settings: this.settings(),
      machines: this.machines.states(),
      notices: notices.map((text) => text.slice(0, 500)),
    };
  }

  async saveSettings(settings: Settings): Promise<Result<Record<string, never>>> {
    const saved = this.#settings.save(settings);
    if (!saved.ok) return saved;
    this.#tellAll({ t: "settings", settings: this.settings() });
    for (const handler of this.#settingsHandlers) handler(this.settings());
    return ok({});
  }

  saveLayout(windowId: string, layout: WindowLayout): void {
    this.#layouts.put(windowId, layout, this.#takenIds());
  }

  openWindow(): Promise<Result<Record<string, never>>> {
    return this.#options.host.openWindow();
  }

  async openLink(url: string): Promise<Result<Record<string, never>>> {
    const gated = gateUrl(url);
    return gated.ok ? this.#options.host.openLink(gated.value) : gated;
  }

  claimHolder(holder: string): void {
    for (const window of this.#windows.keys()) window.releaseHolder(holder);
  }

  gone(window: DeskWindow): void {
    this.#windows.delete(window);
    const id = window.windowId;
    const layout = id === null ? null : this.#layouts.get(id);
    const empty = layout !== null && !hasPanes(layout) && layout.bounds === null && this.#layouts.windows.length > 1;
    // An empty page that is gone would otherwise be what the next one gets instead of the panes of another.
    if (empty && this.#closing === null) this.#layouts.forget(layout.windowId);
    for (const handler of [...this.#gone]) handler();
  }

  /** Which window a page is. Two pages never are the same one: they would take each other's panes. */
  async #idFor(window: DeskWindow, asked: string | null): Promise<string> {
    const options = this.#windows.get(window) ?? { windowId: null, fresh: true };
    if (options.windowId !== null) {
      for (const other of this.#windowsOf(options.windowId, window)) other.close();
      return options.windowId;
    }
    if (asked !== null && windowIdPattern.test(asked) && (await this.#letGo(asked, window))) return asked;
    // A copied tab shows an empty window of its own, not another closed one.
    const kept = asked === null && !options.fresh ? this.#layouts.free(this.#takenIds()) : null;
    return kept?.windowId ?? this.newWindowId();
  }

  /** Whether nobody else has this window, at once or after the page that had it is gone. */
  #letGo(windowId: string, window: DeskWindow): Promise<boolean> {
    const free = () => this.#windowsOf(windowId, window).length === 0;
    if (free()) return Promise.resolve(true);
    return new Promise((done) => {
      const finish = (answer: boolean) => {
        this.#gone.delete(look);
        cancel();
        done(answer);
      };
      const look = () => {
        if (free()) finish(true);
      };
      const cancel = this.clock.after(letGoMs, () => finish(false));
      this.#gone.add(look);
    });
  }

  #windowsOf(windowId: string, except: DeskWindow): DeskWindow[] {
    return [...this.#windows.keys()].filter((window) => window !== except && window.windowId === windowId);
  }

  #takenIds(): Set<string> {
    return new Set([...this.#windows].flatMap(([window, options]) => [window.windowId ?? options.windowId ?? ""]));
  }

  /** False when no page is open to hear it. */
  #tellAll(message: DeskMessage): boolean {
    let heard = false;
    for (const window of this.#windows.keys()) {
      if (!window.open) continue;
      window.tell(message);
      heard = true;
    }
    return heard;
  }
}
