/**
 * `muxdeck connect`: a bridge between standard input and output and the agent's socket, used over ssh. Owns copying bytes both ways at the
 * pace of the slower end; looks into nothing. Standard output carries the agent's bytes and nothing else.
 */
import { connect, type Socket } from "node:net";
import { fail, ok, type Result } from "../../protocol/errors.js";
import { dialLocal } from "../../sdk/start-agent.js";
import { prepareFolders } from "../../state/paths.js";
import { type Command, done } from "../command.js";
import { chooseMachine, localMachine, localPaths } from "../reach.js";

export const command: Command = {
  usage: "connect",
  summary: "Bridges standard input and output to the agent (used over ssh).",
  async run({ machine }) {
    const chosen = chooseMachine(machine);
    if (!chosen.ok) return chosen;
    const at = localPaths();
    const prepared = prepareFolders(at);
    if (!prepared.ok) return prepared;
    let socket = await open(at.socket);
    if (socket === null) {
      const started = await dialLocal(at);
      if (!started.ok) return started;
      // Of that link nothing was said yet; the bridge needs bytes, not frames.
      started.value.listen({ frame() {}, drain() {}, closed() {} });
      started.value.terminate();
      socket = await open(at.socket);
    }
    if (socket === null) return fail("unreachable", `The agent on ${localMachine()} does not answer. Look at \`muxdeck doctor\`.`);
    return bridge(socket);
  },
};

function open(path: string): Promise<Socket | null> {
  return new Promise((resolve) => {
    // Either end may stop sending and still listen.
    const socket = connect({ path, allowHalfOpen: true });
    socket.once("error", () => resolve(null));
    socket.once("connect", () => resolve(socket));
  });
}

function bridge(socket: Socket): Promise<Result<number>> {
  return new Promise((resolve) => {
    const broken = (): void => resolve(ok(1));
    socket.on("error", broken);
    process.stdin.on("error", broken);
    process.stdout.on("error", broken);
    process.stdin.pipe(socket);
    socket.pipe(process.stdout, { end: false });
    socket.once("end", () => process.stdout.write("", () => resolve(done)));
    socket.once("close", () => resolve(done));
  });
}
