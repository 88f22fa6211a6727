/** A pane between a stream that a test plays and a page: order, credit, states, input and drafts. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { failure } from "../../protocol/errors.js";
import { fakeAgent } from "../../test/support/fake-agent-link.js";
import { FakeDesk, fakeView, paneOpen } from "../../test/support/fake-desk.js";

let fake: FakeDesk;
beforeEach(() => {
  fake = new FakeDesk();
});
afterEach(() => fake.close());

describe("panes", () => {
  it("carries a stream's screen, data and sizes in their order", async () => {
    const { page, stream } = await fake.livePane();
    page.heard.length = 0;
    const size = { cols: 100, rows: 30 };
    const bytes = (text: string) => new TextEncoder().encode(text);
    stream.events.screen?.({ at: 50, size, chunks: [bytes("\x1bcone"), bytes("two")], skipped: 9, gap: true, reason: "lag" });
    stream.events.data?.(50, bytes("abc"));
    stream.events.resized?.(53, { cols: 101, rows: 30 });
    stream.events.data?.(53, bytes("d"));
    await page.until(() => page.heard.length === 6);
    expect(page.heard).toEqual([
      { t: "bytes", kind: "snapshot", pane: 1, position: 0, text: "\x1bcone" },
      { t: "bytes", kind: "snapshot", pane: 1, position: 5, text: "two" },
      { t: "pane-screen", pane: 1, at: 50, size, skipped: 9, gap: true },
      { t: "bytes", kind: "data", pane: 1, position: 50, text: "abc" },
      { t: "pane-resized", pane: 1, at: 53, size: { cols: 101, rows: 30 } },
      { t: "bytes", kind: "data", pane: 1, position: 53, text: "d" },
    ]);
  });

  it("cuts bytes into frames of the largest size", async () => {
    const { page, stream } = await fake.livePane();
    stream.events.data?.(10, new Uint8Array(150_000).fill(97));
    await page.until(() => page.text(1).length === 150_000);
    const positions = page.heard.flatMap((item) => (item.t === "bytes" ? [item.position] : []));
    expect(positions).toEqual([10, 10 + 65536, 10 + 131072]);
  });

  it("gives credit back only for what the page parsed", async () => {
    const { page, stream } = await fake.livePane();
    stream.events.data?.(0, new Uint8Array(1000));
    await page.until(() => page.text(1).length === 1000);
    expect(stream.calls).toEqual([["attach"]]);
    page.say({ t: "pane-parsed", pane: 1, stream: 7, seq: 600 });
    await page.until(() => stream.calls.length === 2);
    expect(stream.calls[1]).toEqual(["parsed", 7, 600]);
  });

  it("passes on what a page says about its pane", async () => {
    const { page, stream } = await fake.livePane();
    stream.calls.length = 0;
    page.say({ t: "pane-role", pane: 1, role: "observer" });
    page.say({ t: "pane-view", pane: 1, view: fakeView });
    page.say({ t: "pane-focus", pane: 1, on: true });
    page.say({ t: "pane-take-size", pane: 1 });
    page.say({ t: "pane-release-size", pane: 1 });
    page.say({ t: "pane-exclusive", pane: 1, on: true });
    page.say({ t: "pane-ask-control", pane: 1 });
    page.say({ t: "pane-answer-control", pane: 1, ask: 3, answer: "both" });
    page.say({ t: "pane-input-cancel", pane: 1 });
    page.say({ t: "pane-hash", pane: 1, stream: 7, at: 5, value: "abc" });
    await page.until(() => stream.calls.length === 10);
    expect(stream.calls).toEqual([
      ["setRole", "observer"],
      ["setView", fakeView],
      ["setFocus", true],
      ["takeSize", null],
      ["releaseSize"],
      ["setExclusive", true],
      ["askControl"],
      ["answerControl", 3, "both"],
      ["cancelInput"],
      ["sendHash", 7, 5, "abc"],
    ]);
  });

  it("tells what the stream says about roles, drivers and control", async () => {
    const { page, stream } = await fake.livePane();
    page.heard.length = 0;
    const refused = failure("not-permitted", "Your key may watch, not type.");
    stream.events.role?.("observer");
    stream.role = "observer";
    stream.events.refused?.(refused);
    stream.events.driver?.({ mine: false, name: "Mara", exclusive: true });
    stream.events.behind?.({ ms: 1500, bytes: 10 });
    stream.events.verified?.(77);
    stream.events.controlAsked?.({ ask: 2, name: "Priya" });
    stream.events.controlAnswered?.("not-now");
    await page.until(() => page.heard.length === 7);
    expect(page.heard).toEqual([
      { t: "pane-role", pane: 1, role: "observer", refused: null },
      { t: "pane-role", pane: 1, role: "observer", refused },
      { t: "pane-driver", pane: 1, mine: false, name: "Mara", exclusive: true },
      { t: "pane-behind", pane: 1, ms: 1500, bytes: 10 },
      { t: "pane-verified", pane: 1, at: 77 },
      { t: "pane-control-asked", pane: 1, ask: 2, name: "Priya" },
      { t: "pane-control-answered", pane: 1, answer: "not-now" },
    ]);
  });

  it("shows each state with its facts, from the first attach over a broken link to the end", async () => {
    const { page } = fake.openPage();
    await page.hello();
    fake.link.goLive();
    page.say(paneOpen());
    const stream = await page.until(() => fake.link.streams[0]);
    const size = { cols: 80, rows: 24 };
    const live = { state: "live", stream: 7, next: 0, role: "operator", size } as const;
    stream.become({ state: "attaching", stream: 7, next: null });
    stream.become(live);
    fake.clock.advance(9000);
    fake.link.become({ state: "stale", agent: fakeAgent, since: fake.clock.now() - 7000 });
    stream.become({ state: "suspended", next: 0, error: null });
    fake.link.become({ state: "waiting", attempt: 2, nextTryAt: fake.clock.now() + 1500, error: failure("unreachable", "x") });
    fake.link.become({ state: "connecting", attempt: 2 });
    fake.link.goLive();
    stream.become({ state: "attaching", stream: 8, next: 0 });
    stream.become({ ...live, stream: 8 });
    fake.link.become({ state: "lost", error: failure("unauthenticated", "The key was refused.") });
    stream.become({ state: "suspended", next: 0, error: null });
    stream.become({ state: "ended", reason: "exit", status: { code: 1 } });
    await page.until(() => page.of("pane-state").at(-1)?.state.state === "ended");
    expect(page.of("pane-state").map((message) => message.state)).toEqual([
      { state: "starting" },
      { state: "live" },
      { state: "stale", silentMs: 7000 },
      { state: "reconnecting", attempt: 0, nextTryMs: null },
      { state: "reconnecting", attempt: 2, nextTryMs: 1500 },
      { state: "reconnecting", attempt: 2, nextTryMs: null },
      { state: "reconnecting", attempt: 0, nextTryMs: null },
      { state: "live" },
      { state: "lost", error: failure("unauthenticated", "The key was refused.") },
      { state: "ended", exit: { code: 1 }, reason: "exit" },
    ]);
    expect(page.of("pane-stream").map((message) => message.stream)).toEqual([7, 8]);
  });

  it("refuses a second pane of the same number and an unknown machine", async () => {
    const { page } = await fake.livePane();
    page.say(paneOpen({ holder: "holder-2" }));
    page.say(paneOpen({ pane: 2, machine: "other", holder: "holder-3" }));
    await page.until(() => page.of("pane-state").filter((message) => message.state.state === "failed").length === 2);
    expect(fake.link.streams).toHaveLength(1);
  });

  it("detaches when the page closes a pane, and when the page goes", async () => {
    const { page, pair, stream } = await fake.livePane();
    page.say(paneOpen({ pane: 2, holder: "holder-2" }));
    const second = await page.until(() => fake.link.streams[1]);
    page.say({ t: "pane-close", pane: 1 });
    await page.until(() => stream.calls.some(([name]) => name === "detach"));
    pair.cut();
    expect(second.calls.at(-1)).toEqual(["detach"]);
    const heard = page.heard.length;
    second.events.data?.(0, new Uint8Array(5));
    expect(page.heard.length).toBe(heard);
  });
});

describe("input", () => {
  it("goes to the stream while it is live, and becomes a draft while it is not", async () => {
    const { page, stream } = await fake.livePane();
    page.type(1, "ls\r");
    await page.until(() => stream.sent.length === 1);
    stream.become({ state: "suspended", next: 0, error: null });
    page.type(1, "rm -rf x");
    page.type(1, "\x03");
    page.type(1, "\r");
    await page.until(() => page.of("pane-draft").at(-1)?.text === "rm -rf x\n");
    stream.goLive(8);
    // Back again, and nothing of it is sent by itself.
    page.type(1, "pwd\r");
    await page.until(() => stream.sent.length === 2);
    expect(stream.sent.map((bytes) => Buffer.from(bytes).toString())).toEqual(["ls\r", "pwd\r"]);
    page.say({ t: "pane-draft", pane: 1, do: "send", text: "rm -rf y\n" });
    await page.until(() => stream.sent.length === 3);
    expect(Buffer.from(stream.sent[2] ?? []).toString()).toBe("rm -rf y\r");
    await page.until(() => page.of("pane-draft").at(-1)?.text === "");
  });

  it("keeps what a frame held when the frame's buffer is used again", async () => {
    const { page, stream } = await fake.livePane();
    page.type(1, "kept");
    await page.until(() => stream.sent.length === 1);
    page.type(1, "more");
    await page.until(() => stream.sent.length === 2);
    expect(Buffer.from(stream.sent[0] ?? []).toString()).toBe("kept");
  });

  it("does not send a draft while the link is down, and throws it away when told", async () => {
    const { page, stream } = await fake.livePane();
    stream.become({ state: "suspended", next: 0, error: null });
    page.type(1, "abc");
    page.say({ t: "pane-draft", pane: 1, do: "send", text: null });
    await page.until(() => page.of("pane-draft").length === 2);
    expect(page.of("pane-draft").at(-1)?.text).toBe("abc");
    expect(stream.sent).toEqual([]);
    page.say({ t: "pane-draft", pane: 1, do: "discard", text: null });
    await page.until(() => page.of("pane-draft").at(-1)?.text === "");
  });

  it("reports how much of a broken send arrived, and gives the draft to the page that comes back", async () => {
    const { page, pair, stream } = await fake.livePane();
    stream.events.undelivered?.({ bytes: new TextEncoder().encode("second half"), delivered: 11, why: "lost" });
    await page.until(() => page.of("pane-draft").length === 1);
    expect(page.of("pane-draft")[0]).toEqual({ t: "pane-draft", pane: 1, text: "second half", delivered: 11 });
    pair.cut();
    const { page: again } = fake.openPage();
    await again.hello();
    again.say(paneOpen({ pane: 5 }));
    expect(await again.until(() => again.of("pane-draft")[0])).toEqual({ t: "pane-draft", pane: 5, text: "second half", delivered: 11 });
  });

  it("keeps nothing that was cancelled, or typed where nobody may type", async () => {
    const { page, stream } = await fake.livePane();
    const bytes = new TextEncoder().encode("x");
    stream.events.undelivered?.({ bytes, delivered: 3, why: "cancelled" });
    stream.events.undelivered?.({ bytes, delivered: null, why: "refused" });
    stream.events.verified?.(1);
    await page.until(() => page.of("pane-verified").length === 1);
    expect(page.of("pane-draft")).toEqual([]);
  });
});
