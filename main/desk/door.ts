/**
 * One desk per state folder: its lock, and the socket behind it on which a second start and `serve --url` ask for what they need. Owns
 * that small exchange, one control frame each way. Carries no command, path or address from outside into the desk: only which of three fixed
 * questions was asked.
 */
import { z } from "zod";
import { fail, ok, type Result } from "../../protocol/errors.js";
import { decodeFrame, encodeControl } from "../../protocol/frame.js";
import { takeLock } from "../../state/lock-file.js";
import type { Paths } from "../../state/paths.js";
import { dialUnixSocket, listenUnixSocket } from "../../transport/node/unix-socket.js";
import type { Transport } from "../../transport/transport.js";

/**
 * `open`: the app was started once more: bring it to the front, or give an address of the browser host. `address`: give a new address of the
 * browser host. `who`: nothing but who holds the desk.
 */
const questionSchema = z.object({ ask: z.enum(["open", "address", "who"]) });
export type DoorQuestion = z.infer<typeof questionSchema>["ask"];

const answerSchema = z.object({
  host: z.enum(["electron", "browser"]),
  pid: z.int(),
  /** A one-time address; only from the browser host, and not for `who`. */
  address: z.string().max(2048).nullable(),
});
export type DoorAnswer = z.infer<typeof answerSchema>;

export interface Door {
  /** Closes the socket and gives the lock back. */
  close(): Promise<void>;
}

/** Somebody who connects and says nothing (a probe of the lock), or a desk that does not answer, is let go after this long. */
const silentMs = 2000;
/** A desk that is just starting holds the lock before its socket is there; a second start waits this long for it. */
const startingMs = 5000;
const retryMs = 50;

/**
 * Takes the desk's lock and listens. When another desk holds it, fails with `busy`; then `knock` reaches that desk. The folders must be
 * prepared.
 */
export async function openDoor(paths: Paths, answer: (question: DoorQuestion) => DoorAnswer): Promise<Result<Door>> {
  const taken = await takeLock(paths.deskLock, paths.deskSocket);
  if (!taken.ok) return taken;
  const lock = taken.value;
  const visitors = new Set<Transport>();
  const listening = await listenUnixSocket(paths.deskSocket, (visitor) => {
    visitors.add(visitor);
    serve(visitor, answer, () => visitors.delete(visitor));
  });
  if (!listening.ok) {
    lock.release();
    return listening;
  }
  const close = async () => {
    for (const visitor of visitors) visitor.terminate();
    await listening.value.close();
    lock.release();
  };
  return ok({ close });
}

function serve(visitor: Transport, answer: (question: DoorQuestion) => DoorAnswer, gone: () => void): void {
  const timer = setTimeout(() => visitor.terminate(), silentMs);
  visitor.listen({
    frame: (frame) => {
      const question = questionSchema.safeParse(contentOf(frame));
      if (!question.success) return visitor.terminate();
      visitor.send(encodeControl(JSON.stringify(answer(question.data.ask))));
      visitor.close();
    },
    drain: () => {},
    closed: () => {
      clearTimeout(timer);
      gone();
    },
  });
}

/** Asks the desk that holds the lock. `offline` when none answers; `wait` for one that is just starting. */
export async function knock(socketPath: string, question: DoorQuestion, { wait }: { wait: boolean }): Promise<Result<DoorAnswer>> {
  const until = Date.now() + (wait ? startingMs : 0);
  for (;;) {
    const answer = await knockOnce(socketPath, question);
    if (answer !== null) return ok(answer);
    if (Date.now() >= until) return fail("offline", "The running Muxdeck does not answer. End it and try again.", { scope: "connection" });
    await new Promise((done) => setTimeout(done, retryMs));
  }
}

async function knockOnce(socketPath: string, question: DoorQuestion): Promise<DoorAnswer | null> {
  const dialled = await dialUnixSocket(socketPath);
  if (!dialled.ok) return null;
  const transport = dialled.value;
  return await new Promise((done) => {
    const timer = setTimeout(() => transport.terminate(), silentMs);
    const finish = (answer: DoorAnswer | null) => {
      clearTimeout(timer);
      // First: ending the transport says that it closed, which would be an answer too.
      done(answer);
      transport.terminate();
    };
    transport.listen({
      frame: (frame) => {
        const answer = answerSchema.safeParse(contentOf(frame));
        finish(answer.success ? answer.data : null);
      },
      drain: () => {},
      closed: () => finish(null),
    });
    transport.send(encodeControl(JSON.stringify({ ask: question })));
  });
}

function contentOf(bytes: Uint8Array): unknown {
  const frame = decodeFrame(bytes);
  if (frame.kind !== "control") return null;
  try {
    return JSON.parse(frame.json);
  } catch {
    return null;
  }
}
