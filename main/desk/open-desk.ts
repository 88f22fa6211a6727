/**
 * Puts a desk together from the real parts: this user's folders, the one door, this machine's agent. Owns the order in which that
 * happens: folders, then the door, then files, so that no second desk ever reads or writes them.
 */
import { type Failure, ok, type Result } from "../../protocol/errors.js";
import { nodeClock } from "../../sdk/node-clock.js";
import { sessionEnvironment } from "../../sdk/session-environment.js";
import { openLocal } from "../../sdk/start-agent.js";
import { type Paths, paths, prepareFolders } from "../../state/paths.js";
import { stateId } from "../../state/state-id.js";
import { Desk, type DeskHost } from "./desk.js";
import { type Door, type DoorAnswer, type DoorQuestion, knock, openDoor } from "./door.js";
import { machineName, userFacts } from "./facts.js";
import type { MachineOptions } from "./machines.js";

type Environment = Readonly<Record<string, string | undefined>>;

export interface OpenDeskOptions {
  env: Environment;
  host: DeskHost;
  /** What a second start, or `serve --url`, asked. */
  answer: (question: DoorQuestion) => DoorAnswer;
}

/** `taken`: another desk has this state folder; `other` answers for it. */
export type OpenedDesk = { kind: "open"; desk: Desk; close: () => Promise<void> } | { kind: "taken"; other: DoorAnswer };

/** How long the end waits for agents to take input that is under way. */
const goodbyeMs = 3000;

/** Opens the desk, or reaches the one that is open. `question` is what this start asks of it. */
export async function openDesk(options: OpenDeskOptions, question: DoorQuestion): Promise<Result<OpenedDesk>> {
  const at = paths({ env: options.env });
  const prepared = prepareFolders(at);
  if (!prepared.ok) return prepared;
  const door = await openDoor(at, options.answer);
  if (!door.ok) return door.error.code === "busy" ? reachOther(at, question, door.error) : door;
  const machine = thisMachine(at, options.env);
  if (!machine.ok) {
    await door.value.close();
    return machine;
  }
  const desk = new Desk({
    host: options.host,
    clock: nodeClock,
    machines: [machine.value],
    files: { settings: at.settings, layouts: at.layouts },
    user: userFacts(options.env),
    sessionEnv: sessionEnvironment(options.env),
  });
  return ok({ kind: "open", desk, close: () => closeAll(desk, door.value) });
}

/** Its id is known before its agent runs: it is that of the state folder. */
function thisMachine(at: Paths, env: Environment): Result<MachineOptions> {
  const id = stateId(at.stateId);
  if (!id.ok) return id;
  const link = openLocal({ client: { kind: "app", name: clientName(env) }, env });
  if (!link.ok) return link;
  return ok({ id: id.value, name: machineName(), link: link.value });
}

/** Asks the desk that runs in this state folder; `offline` when none does. */
export async function askRunningDesk(env: Environment, question: DoorQuestion): Promise<Result<DoorAnswer>> {
  const at = paths({ env });
  return knock(at.deskSocket, question, { wait: false });
}

async function reachOther(at: Paths, question: DoorQuestion, busy: Failure): Promise<Result<OpenedDesk>> {
  const other = await knock(at.deskSocket, question, { wait: true });
  if (other.ok) return ok({ kind: "taken", other: other.value });
  return { ok: false, error: { ...busy, message: `${busy.message} ${other.error.message}` } };
}

async function closeAll(desk: Desk, door: Door): Promise<void> {
  let cancel = () => {};
  const late = new Promise<void>((done) => {
    cancel = nodeClock.after(goodbyeMs, done);
  });
  await Promise.race([desk.close(), late]);
  cancel();
  await door.close();
}

/** Shown to others in the same session. */
function clientName(env: Environment): string {
  const { user } = userFacts(env);
  return user === "" ? machineName() : `${user}@${machineName()}`;
}
