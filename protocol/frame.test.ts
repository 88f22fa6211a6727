/** Frames against their golden bytes, their bounds, and noise. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type ByteFrameKind,
  byteHeaderLength,
  criticalFlag,
  decodeFrame,
  encodeByteHeader,
  encodeBytes,
  encodeControl,
  maxFrameBytes,
  maxFrameLength,
} from "./frame.js";

/** One frame a line: what it is, then its bytes. */
const golden = readFileSync(join(import.meta.dirname, "../test/fixtures/frame.golden"), "utf8")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"))
  .map((line) => {
    const [what = "", hex = ""] = line.split(" = ");
    return { what, bytes: Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex")) };
  });

function encode(what: string): Uint8Array {
  const [kind = "", ...rest] = what.split(" ");
  if (kind === "control") return encodeControl(rest.join(" "));
  const [stream = "", position = "", hex = ""] = rest;
  return encodeBytes(kind as ByteFrameKind, Number(stream), Number(position), Uint8Array.from(Buffer.from(hex, "hex")));
}

describe("frames", () => {
  it("has golden bytes of every kind", () => {
    expect(new Set(golden.map(({ what }) => what.split(" ")[0]))).toEqual(new Set(["control", "data", "snapshot", "input"]));
  });

  it.each(golden)("$what is written as it always was", ({ what, bytes }) => {
    expect(Buffer.from(encode(what)).toString("hex")).toBe(Buffer.from(bytes).toString("hex"));
  });

  it.each(golden)("$what is read as it always was", ({ what, bytes }) => {
    const frame = decodeFrame(bytes);
    if (frame.kind === "control") expect(`control ${frame.json}`).toBe(what);
    else if ("stream" in frame) {
      const { kind, stream, position } = frame;
      expect([kind, stream, position, Buffer.from(frame.bytes).toString("hex")].join(" ").trim()).toBe(what);
    } else expect.fail(`read as ${frame.kind}`);
  });

  it("carries any position and any bytes", () => {
    fc.assert(
      fc.property(
        fc.constantFrom<ByteFrameKind>("data", "snapshot", "input"),
        fc.integer({ min: 1, max: 0xffffffff }),
        fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
        fc.uint8Array({ maxLength: 300 }),
        (kind, stream, position, bytes) => {
          expect(decodeFrame(encodeBytes(kind, stream, position, bytes))).toEqual({ kind, stream, position, bytes });
        },
      ),
      { seed: 1, numRuns: 500 },
    );
  });

  it("carries any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (json) => {
        expect(decodeFrame(encodeControl(json))).toEqual({ kind: "control", json });
      }),
      { seed: 2, numRuns: 500 },
    );
  });

  it("writes the header by itself as it does with bytes", () => {
    const header = new Uint8Array(byteHeaderLength);
    encodeByteHeader("data", 0xfedcba98, Number.MAX_SAFE_INTEGER, header);
    expect(header).toEqual(encodeBytes("data", 0xfedcba98, Number.MAX_SAFE_INTEGER, new Uint8Array()));
  });

  it("skips kinds it does not know and refuses what it must not go on with", () => {
    expect(decodeFrame(Uint8Array.of(9, 0, 1, 2))).toEqual({ kind: "unknown", number: 9 });
    expect(decodeFrame(Uint8Array.of(1, 1, 123, 125)).kind).toBe("control");
    const refused = (frame: Uint8Array) => expect(decodeFrame(frame).kind).toBe("refused");
    refused(Uint8Array.of());
    refused(Uint8Array.of(1));
    refused(Uint8Array.of(1, criticalFlag, 123, 125));
    refused(Uint8Array.of(9, criticalFlag));
    refused(Uint8Array.of(1, 0, 0xff));
    refused(new Uint8Array(maxFrameLength + 1).fill(1));
    refused(encodeBytes("data", 1, 0, new Uint8Array(maxFrameBytes + 1)));
    refused(encodeBytes("data", 1, 0, new Uint8Array()).subarray(0, byteHeaderLength - 1));
    refused(Uint8Array.of(2, 0, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0));
    expect(decodeFrame(encodeBytes("data", 1, 0, new Uint8Array(maxFrameBytes))).kind).toBe("data");
  });

  it("survives noise and damaged frames", () => {
    const known = golden.map(({ bytes }) => bytes);
    let state = 12345;
    const random = (below: number) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return (state >>> 8) % below;
    };
    const seen = new Set<string>();
    for (let run = 0; run < 100_000; run++) {
      const base = run % 2 === 0 ? Uint8Array.from({ length: random(40) }, () => random(256)) : (known[random(known.length)] ?? known[0]);
      const frame = Uint8Array.from(base ?? []);
      for (let flips = random(4); flips > 0 && frame.length > 0; flips--) frame[random(frame.length)] = random(256);
      seen.add(decodeFrame(frame.subarray(0, random(frame.length + 1))).kind);
    }
    expect([...seen].sort()).toEqual(["control", "data", "input", "refused", "snapshot", "unknown"]);
  });
});
