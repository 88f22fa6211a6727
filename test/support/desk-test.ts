/**
 * Playwright's `test` for the app, in the browser host or in Electron, as the running project says: specs are written once for both. Each
 * test gets a home of its own and the app's first page in it; everything it started is ended after it.
 */
import { test as base, type ElectronApplication, expect, type Page } from "playwright/test";
import { launchChromium, startBrowserHost } from "./chromium.js";
import { launchApp } from "./electron.js";
import { createHome, type MuxdeckHome } from "./muxdeck-home.js";
import { inTime } from "./wait.js";
import { type Display, startDisplay } from "./xvfb.js";

export type Shell = "browser" | "electron";

export interface Deck {
  readonly shell: Shell;
  readonly page: Page;
  /** Only in Electron. */
  readonly app: ElectronApplication | null;
  /** Ends the app (or the browser and its host) as its user would; sessions live on. */
  quit(): Promise<void>;
}

interface TestFixtures {
  home: MuxdeckHome;
  /** Starts the app on the test's home; again after `quit`, to see what comes back. All of them end with the test. */
  openDeck: () => Promise<Deck>;
  deck: Deck;
}

interface WorkerFixtures {
  shell: Shell;
  display: Display | null;
}

export const test = base.extend<TestFixtures, WorkerFixtures>({
  shell: ["browser", { option: true, scope: "worker" }],

  display: [
    async ({ shell }, use) => {
      const display = shell === "electron" ? await startDisplay() : null;
      await use(display);
      await display?.close();
    },
    { scope: "worker" },
  ],

  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the parameter's form
  home: async ({}, use) => {
    const home = createHome();
    await use(home);
    await home.close();
  },

  openDeck: async ({ home, shell, display }, use, testInfo) => {
    const open: Deck[] = [];
    await use(async () => {
      const deck = display === null ? await openInBrowser(home) : await openInElectron(home, display);
      open.push(deck);
      return { ...deck, shell };
    });
    if (testInfo.status !== testInfo.expectedStatus) {
      for (const [index, deck] of open.entries()) {
        const body = await deck.page.screenshot({ timeout: 5000 }).catch(() => null);
        if (body !== null) await testInfo.attach(`window-${index + 1}`, { body, contentType: "image/png" });
      }
    }
    for (const deck of open) await deck.quit();
  },

  deck: async ({ openDeck }, use) => {
    await use(await openDeck());
  },
});

export { expect };

async function openInBrowser(home: MuxdeckHome): Promise<Deck> {
  const host = await startBrowserHost(home);
  const browser = await launchChromium();
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await page.goto(host.url);
  const quit = once(async () => {
    await browser.close();
    await host.close();
  });
  return { shell: "browser", page, app: null, quit };
}

async function openInElectron(home: MuxdeckHome, display: Display): Promise<Deck> {
  const { app, page } = await launchSeen(home, display);
  const { pid } = app.process();
  const quit = once(async () => {
    try {
      await inTime("the app to quit", app.close(), 15_000);
    } catch (error) {
      // The rest of the test's end must not wait for it.
      if (pid !== undefined) process.kill(pid, "SIGKILL");
      throw error;
    }
  });
  return { shell: "electron", page, app, quit };
}

/**
 * The app with its first window. Now and then Playwright misses a window that this old Electron opened while it was attaching: the app says
 * that it has one, so it is ended and started anew. An app that has none fails the test.
 */
async function launchSeen(home: MuxdeckHome, display: Display): Promise<{ app: ElectronApplication; page: Page }> {
  for (;;) {
    const app = await launchApp(home, display.name);
    try {
      return { app, page: await inTime("the first window", app.firstWindow(), 20_000) };
    } catch (error) {
      const windows = await inTime(
        "the app's word",
        app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().length),
        5000,
      );
      app.process().kill("SIGKILL");
      if (windows === 0) throw error;
    }
  }
}

function once(run: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | null = null;
  return () => {
    running ??= run();
    return running;
  };
}
