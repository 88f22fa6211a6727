/**
 * Frames over a pair of pipes: this process's own stdin and stdout, or a child's. Owns only the pairing; framing is byte-stream.ts's. Used
 * by `muxdeck connect` and by clients that reach an agent through a program such as ssh.
 */
import type { ChildProcess } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import type { Transport } from "../transport.js";
import { byteStreamTransport } from "./byte-stream.js";

/** Over any two pipes, such as `process.stdin` and `process.stdout`. Nothing else may read or write them. */
export function pipeTransport(readable: Readable, writable: Writable): Transport {
  return byteStreamTransport({
    readable,
    writable,
    destroy: () => {
      readable.destroy();
      writable.destroy();
    },
  });
}

/** Over a child started with pipes as stdin and stdout; null when it was not. The end of the transport ends the child's input, not the child. */
export function childTransport(child: ChildProcess): Transport | null {
  if (!child.stdin || !child.stdout) return null;
  return pipeTransport(child.stdout, child.stdin);
}
