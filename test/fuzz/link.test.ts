/**
 * Anything at all as a page's words: frames, JSON, messages that are almost right. The desk never throws, asks the agent for nothing that
 * is not a whole message, answers every request it can name, and still serves the next page.
 */
import fc from "fast-check";
import { expect, it } from "vitest";
import { pageMessageSchema, paneMessageSchemas, requestSchemas } from "../../link/messages.js";
import { defaultSettings } from "../../link/settings.js";
import { fail } from "../../protocol/errors.js";
import { encodeBytes, encodeControl } from "../../protocol/frame.js";
import { FakeDesk, fakeSession, fakeView } from "../support/fake-desk.js";

const runs = 1500;
const seed = Number(process.env.MUXDECK_FUZZ_SEED ?? 20_261_123);

const layout = { windowId: "w", tabs: [], activeTab: null, sidebar: { shown: true, width: 256 }, bounds: null };

/** One good message of each type, to be spoiled. */
const good: Record<string, unknown>[] = [
  { t: "hello", id: 1, windowId: null },
  { t: "session-new", id: 1, machine: "machine-1", name: "x", command: ["sh"], cwd: "/", size: { cols: 80, rows: 24 } },
  { t: "session-rename", id: 1, machine: "machine-1", session: fakeSession, name: "x" },
  { t: "session-signal", id: 1, machine: "machine-1", session: fakeSession, signal: "INT" },
  { t: "session-kill", id: 1, machine: "machine-1", session: fakeSession },
  { t: "session-dismiss", id: 1, machine: "machine-1", session: fakeSession },
  { t: "layout-save", id: 1, layout },
  { t: "settings-save", id: 1, settings: defaultSettings },
  { t: "window-new", id: 1 },
  { t: "open-link", id: 1, url: "https://example.org/" },
  {
    t: "pane-open",
    pane: 1,
    machine: "machine-1",
    session: fakeSession,
    role: "operator",
    holder: "holder-1",
    view: fakeView,
    scrollback: 100,
  },
  { t: "pane-close", pane: 1 },
  { t: "pane-role", pane: 1, role: "observer" },
  { t: "pane-view", pane: 1, view: fakeView },
  { t: "pane-focus", pane: 1, on: true },
  { t: "pane-take-size", pane: 1 },
  { t: "pane-release-size", pane: 1 },
  { t: "pane-exclusive", pane: 1, on: true },
  { t: "pane-ask-control", pane: 1 },
  { t: "pane-answer-control", pane: 1, ask: 1, answer: "both" },
  { t: "pane-input-cancel", pane: 1 },
  { t: "pane-parsed", pane: 1, stream: 7, seq: 5 },
  { t: "pane-hash", pane: 1, stream: 7, at: 5, value: "x" },
  { t: "pane-draft", pane: 1, do: "send", text: "x" },
  { t: "reconnect", machine: "machine-1" },
];

const odd: fc.Arbitrary<unknown> = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom(-1, 0, 1e300, 2 ** 53, 1.5, "", "\u0000", "__proto__", "constructor", "../..", "\u202e", [], {}, null, true),
  fc.string({ maxLength: 200 }),
  fc.constantFrom("x".repeat(100_000)),
);

/** A good message with one field replaced, removed or added. */
const spoiled = fc
  .tuple(fc.constantFrom(...good), fc.nat(), odd, fc.constantFrom("replace", "remove", "add"))
  .map(([message, nth, value, how]) => {
    const copy: Record<string, unknown> = { ...message };
    const names = Object.keys(copy);
    const name = names[nth % names.length] ?? "t";
    if (how === "remove") delete copy[name];
    else if (how === "add") Object.defineProperty(copy, "__proto__", { value, enumerable: true });
    else copy[name] = value;
    return encodeControl(JSON.stringify(copy));
  });

const anything = fc.oneof(
  { weight: 6, arbitrary: spoiled },
  { weight: 2, arbitrary: fc.constantFrom(...good).map((message) => encodeControl(JSON.stringify(message))) },
  { weight: 2, arbitrary: fc.jsonValue().map((value) => encodeControl(JSON.stringify(value))) },
  { weight: 1, arbitrary: fc.string().map((text) => encodeControl(text)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 64 }) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom("input", "data", "snapshot"), fc.integer({ min: 0, max: 3 }), fc.maxSafeNat(), fc.uint8Array())
      .map(([kind, pane, position, bytes]) => encodeBytes(kind, pane, position, bytes)),
  },
);

it("has one good message of every type", () => {
  expect(good.map((message) => message.t).sort()).toEqual([...Object.keys(requestSchemas), ...Object.keys(paneMessageSchemas)].sort());
  for (const message of good) expect(pageMessageSchema.safeParse(message).success, String(message.t)).toBe(true);
});

it("stands any page", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anything, { minLength: 1, maxLength: 40 }), async (frames) => {
      const fake = new FakeDesk();
      try {
        fake.link.answer = () => fail("offline", "nobody is there");
        const { page } = fake.openPage();
        await page.hello();
        for (const frame of frames) page.raw(frame);
        // Had a frame thrown, or the link been dropped, this would have no answer.
        expect(await page.ask({ t: "session-dismiss", machine: "machine-1", session: fakeSession })).toMatchObject({ ok: false });
        expect(page.closed).toBeNull();
        for (const { type, fields } of fake.link.requests)
          expect(Object.keys(requestFields), type).toContain(JSON.stringify(Object.keys(fields as object).sort()));
        for (const link of fake.openedLinks) expect(link).toMatch(/^https?:\/\//);
        expect(Reflect.has({}, "t")).toBe(false);
        const { page: next } = fake.openPage({ fresh: true });
        expect((await next.hello()).host).toBe("browser");
      } finally {
        await fake.close();
      }
    }),
    { numRuns: runs, seed },
  );
}, 120_000);

/** What the agent may be asked, by the names of the fields. */
const requestFields = Object.fromEntries(
  [["command", "cwd", "env", "name", "size"], ["name", "session"], ["session", "signal"], ["session"]].map((names) => [
    JSON.stringify(names),
    true,
  ]),
);
