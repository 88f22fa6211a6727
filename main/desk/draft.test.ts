/** What of typed bytes becomes a draft. */
import { describe, expect, it } from "vitest";
import { Draft, Drafts, draftBytes, maxDraft } from "./draft.js";

const encoder = new TextEncoder();

function typed(...keys: string[]): string {
  const draft = new Draft();
  for (const key of keys) draft.add(encoder.encode(key), null);
  return draft.text;
}

describe("Draft", () => {
  it("keeps text, tabs and line ends", () => {
    expect(typed("ls -la", "\t", "\r", "pwd\r")).toBe("ls -la\t\npwd\n");
  });

  it("keeps nothing of keys that are no text", () => {
    expect(typed("a", "\x03", "\x1b", "\x1b[A", "\x1bOB", "\x1b[1;5C", "\x1b[5~", "\x1bf", "\x04", "\x00", "b")).toBe("ab");
  });

  it("takes backspace as taking back", () => {
    expect(typed("ab", "\x7f", "c", "😀", "\x7f")).toBe("ac");
    expect(typed("\x7f", "a")).toBe("a");
  });

  it("keeps what a bracketed paste encloses", () => {
    expect(typed("\x1b[200~echo 1\recho 2\x1b[201~")).toBe("echo 1\necho 2");
  });

  it("puts a cut character together", () => {
    const draft = new Draft();
    const bytes = encoder.encode("é😀");
    for (const byte of bytes) draft.add(Uint8Array.of(byte), null);
    expect(draft.text).toBe("é😀");
  });

  it("adds up what did arrive, and forgets it when cleared", () => {
    const draft = new Draft();
    expect(draft.delivered).toBeNull();
    draft.add(encoder.encode("abc"), 2);
    draft.add(encoder.encode("d"), null);
    expect(draft.delivered).toBe(2);
    draft.clear();
    expect([draft.text, draft.delivered]).toEqual(["", null]);
  });

  it("is bounded", () => {
    expect(typed("x".repeat(maxDraft), "more").length).toBe(maxDraft);
  });
});

describe("Drafts", () => {
  it("finds a holder's draft again, and forgets the oldest of too many", () => {
    const drafts = new Drafts();
    drafts.of("holder-0").add(encoder.encode("kept"), null);
    expect(drafts.of("holder-0").text).toBe("kept");
    for (let n = 1; n <= 256; n++) drafts.of(`holder-${n}`);
    expect(drafts.of("holder-0").text).toBe("");
  });
});

describe("draftBytes", () => {
  it("sends Enter for a line end", () => {
    expect(new TextDecoder().decode(draftBytes("a\nb\r\nc"))).toBe("a\rb\rc");
  });
});
