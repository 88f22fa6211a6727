/** Foreign texts become one plain line; times and sizes read as the interface says. */
import { describe, expect, it } from "vitest";
import { byteCount, countdown, counted, duration, exactDuration, initials, plain, plainPath, signalWithNumber } from "./words.js";

describe("plain", () => {
  it.each([
    ["deploy", "deploy"],
    ["a\u001b[31mb\u0007", "a[31mb"],
    ["\u202egpj.exe", "gpj.exe"],
    ["one\ntwo\u2028three", "onetwothree"],
    ["\u009b31mx", "31mx"],
    ["zero\u200bwidth\ufeff", "zerowidth"],
    ["größe 漢字 👩‍👧 ❤️", "größe 漢字 👩‍👧 ❤️"],
    ["<img src=x onerror=alert(1)>", "<img src=x onerror=alert(1)>"],
  ])("%j", (raw, shown) => expect(plain(raw)).toBe(shown));

  it("is at most 256 characters", () => {
    const shown = plain("x".repeat(9_900_000));
    expect([shown.length, shown.endsWith("…")]).toEqual([256, true]);
    expect([...plain("👩".repeat(300))]).toHaveLength(256);
    expect(plain("y".repeat(256))).toBe("y".repeat(256));
  });
});

describe("plainPath", () => {
  it("shortens the home folder and the middle", () => {
    expect(plainPath("/home/jonas/src", "/home/jonas")).toBe("~/src");
    expect(plainPath("/home/jonas", "/home/jonas")).toBe("~");
    expect(plainPath("/home/jonasson", "/home/jonas")).toBe("/home/jonasson");
    const long = plainPath(`/srv/${"a".repeat(100)}/end`, "/root", 21);
    expect([long.length, long.startsWith("/srv/"), long.endsWith("/end")]).toEqual([21, true, true]);
  });
});

describe("times and sizes", () => {
  it("has one unit while it ticks", () => {
    expect([0, 900, 6_400, 59_999, 60_000, 3_599_000, 3_600_000, 47 * 3_600_000, 50 * 3_600_000].map(duration)).toEqual([
      "0 s",
      "0 s",
      "6 s",
      "59 s",
      "1 min",
      "59 min",
      "1 h",
      "47 h",
      "2 d",
    ]);
  });

  it("has two units when it is over", () => {
    expect([2_000, 362_000, 3_720_000, 90_000_000].map(exactDuration)).toEqual(["2 s", "6 min 2 s", "1 h 2 min", "1 d 1 h"]);
  });

  it("counts down to 1", () => {
    expect([0, 1, 1_000, 5_100].map(countdown)).toEqual(["1 s", "1 s", "1 s", "6 s"]);
  });

  it("counts bytes in decimal units", () => {
    expect([1, 14, 1_500, 1_234_000, 48_000_000, 2_500_000_000].map(byteCount)).toEqual([
      "1 byte",
      "14 bytes",
      "2 kB",
      "1.2 MB",
      "48 MB",
      "2.5 GB",
    ]);
    expect([counted(1, "session", "sessions"), counted(0, "session", "sessions")]).toEqual(["1 session", "0 sessions"]);
  });
});

describe("names", () => {
  it("of signals carry their number, of people become initials", () => {
    expect([signalWithNumber("SIGKILL"), signalWithNumber("SIGRTMIN")]).toEqual(["SIGKILL (9)", "SIGRTMIN"]);
    expect(["Jonas Lind", "mara", "root@build", "…"].map(initials)).toEqual(["JL", "MA", "RB", "?"]);
  });
});
