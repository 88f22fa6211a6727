/**
 * A desk in a folder of its own, with a machine and pages that a test plays and a clock that it moves. Owns the folder and its end; the
 * desk in it is the real one, and can be ended and started again.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PaneMessage } from "../../link/messages.js";
import { type AttachOptions, Desk, type DeskHost } from "../../main/desk/desk.js";
import { ok } from "../../protocol/errors.js";
import { type MemoryPair, memoryPair } from "../../transport/memory.js";
import { FakeLink, type FakeStream } from "./fake-agent-link.js";
import { FakePage } from "./fake-page.js";
import { ManualClock } from "./manual-clock.js";

export const fakeSession = "0123456789abcdef01234567";
export const fakeView = { cols: 80, rows: 24, cellWidth: 8, cellHeight: 18, colours: null, focused: true };

export function paneOpen(more: Partial<PaneMessage<"pane-open">> = {}): PaneMessage<"pane-open"> {
  const open = { pane: 1, machine: "machine-1", session: fakeSession, holder: "holder-1", view: fakeView, scrollback: 1000 };
  return { t: "pane-open", role: "operator", ...open, ...more };
}

export interface OpenedPage {
  page: FakePage;
  pair: MemoryPair;
}

export class FakeDesk {
  readonly folder = mkdtempSync(join(tmpdir(), "muxdeck-desk-"));
  /** Addresses that were opened outside. */
  readonly openedLinks: string[] = [];
  /** Windows that were asked for. */
  openedWindows = 0;
  clock = new ManualClock();
  link = new FakeLink();
  desk = this.#start();

  /** Another run of the app on the same files. */
  async restart(): Promise<void> {
    await this.desk.close();
    this.clock = new ManualClock();
    this.link = new FakeLink();
    this.desk = this.#start();
  }

  async close(): Promise<void> {
    await this.desk.close();
    rmSync(this.folder, { recursive: true });
  }

  openPage(options: Partial<AttachOptions> = {}): OpenedPage {
    const pair = memoryPair();
    pair.automatic();
    this.desk.attach(pair.right, { windowId: null, fresh: false, ...options });
    return { page: new FakePage(pair.left), pair };
  }

  /** A page with pane 1 on a live stream 7. */
  async livePane(): Promise<OpenedPage & { stream: FakeStream }> {
    const { page, pair } = this.openPage();
    await page.hello();
    this.link.goLive();
    page.say(paneOpen());
    const stream = await page.until(() => this.link.streams[0]);
    stream.goLive(7);
    await page.until(() => page.of("pane-state").at(-1)?.state.state === "live");
    return { page, pair, stream };
  }

  #start(): Desk {
    const host: DeskHost = {
      kind: "browser",
      openWindow: async () => {
        this.openedWindows++;
        return ok({});
      },
      openLink: async (address) => {
        this.openedLinks.push(address);
        return ok({});
      },
    };
    return new Desk({
      host,
      clock: this.clock,
      machines: [{ id: "machine-1", name: "this-machine", link: this.link }],
      files: { settings: join(this.folder, "settings.json"), layouts: join(this.folder, "layouts.json") },
      user: { shell: "bash", user: "mara", home: "/home/mara" },
      sessionEnv: { PATH: "/bin" },
    });
  }
}
