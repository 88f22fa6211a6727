/**
 * The outermost layer of everything said: one frame is one kind byte, one flag byte, and a body. Control frames carry UTF-8 JSON; byte
 * frames carry a stream id, a position and raw bytes. Owns the layout and its bounds; knows no message. Golden files: `frame.golden`.
 *
 *     control   | kind u8 = 1 | flags u8 | JSON …                                   |
 *     bytes     | kind u8 2-4 | flags u8 | stream u32 BE | position u64 BE | bytes … |
 *
 * An unknown kind is skipped (a newer peer may say more than we know); an unknown flag with the critical bit is refused.
 */

export const frameKinds = { control: 1, data: 2, snapshot: 3, input: 4 } as const;

/** Bit 7 of the flags: "do not go on if you do not know this flag". No flag is defined yet. */
export const criticalFlag = 0x80;

/** Bytes in front of the body of a byte frame. */
export const byteHeaderLength = 14;

/** Largest body of one byte frame. More makes one write to an emulator block its page for too long. */
export const maxFrameBytes = 64 * 1024;

/** Largest frame on any medium; only control frames come near it. */
export const maxFrameLength = 1024 * 1024;

/**
 * `data`: output; position = sequence of its first byte. `snapshot`: position = offset in the snapshot. `input`: position = bytes this
 * holder sent before these.
 */
export type ByteFrameKind = "data" | "snapshot" | "input";

export type Frame =
  | { kind: "control"; json: string }
  | { kind: ByteFrameKind; stream: number; position: number; bytes: Uint8Array }
  | { kind: "unknown"; number: number }
  | { kind: "refused"; reason: string };

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });
const highWord = 0x1_0000_0000;

export function encodeControl(json: string): Uint8Array<ArrayBuffer> {
  const body = encoder.encode(json);
  const frame = new Uint8Array(2 + body.length);
  frame[0] = frameKinds.control;
  frame.set(body, 2);
  return frame;
}

/** The header alone, for media that can send header and bytes without joining them. */
export function encodeByteHeader(kind: ByteFrameKind, stream: number, position: number, into: Uint8Array): void {
  into[0] = frameKinds[kind];
  into[1] = 0;
  writeU32(into, 2, stream);
  writeU32(into, 6, Math.floor(position / highWord));
  writeU32(into, 10, position % highWord);
}

export function encodeBytes(kind: ByteFrameKind, stream: number, position: number, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(byteHeaderLength + bytes.length);
  encodeByteHeader(kind, stream, position, frame);
  frame.set(bytes, byteHeaderLength);
  return frame;
}

/** Never throws. The returned bytes are a view on `frame`, not a copy. */
export function decodeFrame(frame: Uint8Array): Frame {
  if (frame.length < 2) return { kind: "refused", reason: "a frame of fewer than 2 bytes" };
  if (frame.length > maxFrameLength) return { kind: "refused", reason: "a frame over 1 MiB" };
  const [number = 0, flags = 0] = frame;
  if (flags & criticalFlag) return { kind: "refused", reason: `an unknown critical flag ${flags}` };
  switch (number) {
    case frameKinds.control:
      try {
        return { kind: "control", json: decoder.decode(frame.subarray(2)) };
      } catch {
        return { kind: "refused", reason: "a control frame that is not UTF-8" };
      }
    case frameKinds.data:
      return decodeBytes("data", frame);
    case frameKinds.snapshot:
      return decodeBytes("snapshot", frame);
    case frameKinds.input:
      return decodeBytes("input", frame);
    default:
      return { kind: "unknown", number };
  }
}

function decodeBytes(kind: ByteFrameKind, frame: Uint8Array): Frame {
  if (frame.length < byteHeaderLength) return { kind: "refused", reason: "a byte frame without its header" };
  if (frame.length > byteHeaderLength + maxFrameBytes) return { kind: "refused", reason: "a byte frame over 64 KiB" };
  const position = readU32(frame, 6) * highWord + readU32(frame, 10);
  if (!Number.isSafeInteger(position)) return { kind: "refused", reason: "a position over 2^53" };
  return { kind, stream: readU32(frame, 2), position, bytes: frame.subarray(byteHeaderLength) };
}

function writeU32(into: Uint8Array, at: number, value: number): void {
  into[at] = value >>> 24;
  into[at + 1] = value >>> 16;
  into[at + 2] = value >>> 8;
  into[at + 3] = value;
}

function readU32(from: Uint8Array, at: number): number {
  return (((from[at] ?? 0) << 24) | ((from[at + 1] ?? 0) << 16) | ((from[at + 2] ?? 0) << 8) | (from[at + 3] ?? 0)) >>> 0;
}
