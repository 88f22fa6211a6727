/** The feed on a real (headless) emulator: exact order of bytes, sizes and whole screens, and honest positions. */
import { Terminal } from "@xterm/headless";
import { describe, expect, it } from "vitest";
import type { Size } from "../../protocol/values.js";
import { Feed, type FeedEvents } from "./feed.js";

const bytes = (text: string) => new TextEncoder().encode(text);

/** A feed with everything it said, and a way to wait for rest. */
function fed(size: Size = { cols: 20, rows: 5 }) {
  const terminal = new Terminal({ ...size, allowProposedApi: true });
  const said: string[] = [];
  let rested: () => void = () => {};
  const events: FeedEvents = {
    parsed: (stream, seq) => said.push(`parsed ${stream}:${seq}`),
    screen: ({ cols, rows }, stream, seq) => said.push(`screen ${cols}x${rows} ${stream}:${seq}`),
    resized: ({ cols, rows }, stream, seq) => said.push(`size ${cols}x${rows} ${stream}:${seq}`),
    rest: () => rested(),
  };
  const feed = new Feed(terminal, events);
  const rest = () =>
    new Promise<void>((resolve) => {
      if (feed.resting) resolve();
      else rested = () => queueMicrotask(resolve);
    });
  const line = (y: number) => terminal.buffer.active.getLine(terminal.buffer.active.baseY + y)?.translateToString(true) ?? "";
  return { terminal, feed, said, rest, line };
}

describe("Feed", () => {
  it("writes bytes in order and reports the position once for what was parsed together", async () => {
    const { feed, said, rest, line } = fed();
    feed.begin(3);
    feed.data(100, bytes("one "));
    feed.data(104, bytes("two"));
    await rest();
    expect(line(0)).toBe("one two");
    expect(feed.seq).toBe(107);
    expect(said).toEqual(["parsed 3:107"]);
  });

  it("writes a character whole that frames or slices cut", async () => {
    const { feed, rest, line } = fed();
    const text = bytes("a\u2014b \u{1f600}\u2026");
    feed.begin(1);
    // xterm alone loses U+2014 when it comes in two writes.
    for (let at = 0; at < text.length; at += 1) {
      feed.data(at, text.slice(at, at + 1));
      await rest();
    }
    expect(line(0)).toBe("a\u2014b \u{1f600}\u2026");
    expect(feed.seq).toBe(text.length);
    for (let at = 0; at < text.length; at += 1) feed.snapshot(text.slice(at, at + 1));
    feed.screen(50, { cols: 20, rows: 5 });
    await rest();
    expect(line(0)).toBe("a\u2014b \u{1f600}\u2026");
  });

  it("takes a new size only after the byte before it", async () => {
    const together = fed({ cols: 10, rows: 4 });
    together.feed.begin(1);
    // 15 characters wrap at 10; the size comes after them; then 12 more.
    together.feed.data(0, bytes("abcdefghijklmno\r\n"));
    together.feed.resized(17, { cols: 5, rows: 4 });
    together.feed.data(17, bytes("123456789012"));
    await together.rest();

    const apart = fed({ cols: 10, rows: 4 });
    apart.feed.begin(1);
    apart.feed.data(0, bytes("abcdefghijklmno\r\n"));
    await apart.rest();
    apart.terminal.resize(5, 4);
    apart.feed.data(17, bytes("123456789012"));
    await apart.rest();

    const screen = ({ line }: ReturnType<typeof fed>) => [0, 1, 2, 3].map(line);
    expect(screen(together)).toEqual(screen(apart));
    expect(together.terminal.cols).toBe(5);
    expect(together.said).toContain("size 5x4 1:17");
  });

  it("applies a screen as a whole: size, reset, bytes, in slices", async () => {
    const { terminal, feed, said, rest, line } = fed();
    feed.begin(1);
    feed.data(0, bytes("old old old\u001b[?2004h"));
    await rest();
    feed.begin(2);
    const long = "x".repeat(150_000);
    feed.snapshot(bytes(`\u001bc${long}`));
    feed.snapshot(bytes("\u001b[2J\u001b[Hnew"));
    feed.screen(500, { cols: 30, rows: 6 });
    feed.data(500, bytes("!"));
    await rest();
    expect(line(0)).toBe("new!");
    expect([terminal.cols, terminal.rows]).toEqual([30, 6]);
    expect(terminal.modes.bracketedPasteMode).toBe(false);
    expect(terminal.modes.synchronizedOutputMode).toBe(false);
    expect(said).toEqual(["parsed 1:19", "screen 30x6 2:500", "parsed 2:501"]);
  });

  it("drops what waits when a whole screen replaces it", async () => {
    const { feed, rest, line } = fed();
    feed.begin(1);
    feed.data(0, bytes("first "));
    feed.resized(6, { cols: 10, rows: 5 });
    feed.data(6, bytes("never"));
    feed.snapshot(bytes("\u001bcscreen"));
    feed.screen(1000, { cols: 20, rows: 5 });
    await rest();
    expect(line(0)).toBe("screen");
    expect(feed.seq).toBe(1000);
  });

  it("forgets half a snapshot of an older stream", async () => {
    const { feed, rest, line } = fed();
    feed.begin(1);
    feed.snapshot(bytes("\u001bchalf"));
    feed.begin(2);
    feed.snapshot(bytes("\u001bcwhole"));
    feed.screen(10, { cols: 20, rows: 5 });
    await rest();
    expect(line(0)).toBe("whole");
  });

  it("an empty screen clears", async () => {
    const { feed, rest, line, said } = fed();
    feed.begin(1);
    feed.data(0, bytes("text"));
    feed.screen(4, { cols: 20, rows: 5 });
    await rest();
    expect(line(0)).toBe("");
    expect(said).toContain("screen 20x5 1:4");
  });

  it("says nothing after it was closed", async () => {
    const { terminal, feed, said } = fed();
    feed.begin(1);
    feed.data(0, bytes("x"));
    feed.close();
    await new Promise<void>((resolve) => terminal.write("", resolve));
    expect(said).toEqual([]);
  });
});
