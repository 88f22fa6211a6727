/** The flags of `muxdeck serve`. */
import { describe, expect, it } from "vitest";
import { readFlags } from "./flags.js";

describe("readFlags", () => {
  it("has defaults", () => {
    expect(readFlags([])).toEqual({ ok: true, value: { port: 0, open: true, url: false, json: false, allowHosts: [] } });
  });

  it("reads every flag, in both forms", () => {
    const value = { port: 7000, open: false, url: true, json: true, allowHosts: ["deck.example", "other"] };
    const words = ["--port", "7000", "--no-open", "--url", "--json", "--allow-host", "Deck.example", "--allow-host=other"];
    expect(readFlags(words)).toEqual({ ok: true, value });
    expect(readFlags(["--port=7000"])).toMatchObject({ ok: true, value: { port: 7000 } });
  });

  it.each([
    ["--port"],
    ["--port", "x"],
    ["--port", "65536"],
    ["--port", "-1"],
    ["--allow-host"],
    ["--allow-host", "a:80"],
    ["--listen"],
    ["7000"],
  ])("refuses %s %s", (...words) => expect(readFlags(words)).toMatchObject({ ok: false, error: { code: "invalid" } }));
});
