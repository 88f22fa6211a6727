/**
 * One client, over any transport: hello, heartbeat, roles, and every message to whom it concerns, by a fixed switch. Owns the order of
 * what goes out (control, acknowledgements, the stream somebody types in, the others in turn) and how much of it is under way. Refuses
 * whatever comes before a hello or does not parse; one client's faults are never another's.
 */
import { z } from "zod";
import { type Failure, failure, unreachable } from "../protocol/errors.js";
import { decodeFrame, encodeBytes, encodeControl, maxFrameBytes } from "../protocol/frame.js";
import {
  type AgentMessage,
  type Attach,
  type ClientHello,
  type ClientMessage,
  clientMessageSchema,
  type Request,
  type StreamMessage,
} from "../protocol/messages.js";
import { needs, suffices } from "../protocol/roles.js";
import { protocolVersions, type Role } from "../protocol/values.js";
import { type Clock, highWater, type Transport, type TransportClosed } from "../transport/transport.js";
import type { Member, MemberPort } from "./member.js";
import { type ConnectionAgent, RequestDesk } from "./requests.js";
import { SendWindow } from "./send-window.js";
import type { Session } from "./session.js";

export interface AgentConnectionOptions {
  agent: ConnectionAgent;
  transport: Transport;
  principal: { id: string; name: string };
  /** No stream and no request of this connection may do more. */
  ceiling: Role;
  /** The only sessions this connection may see; null: all. */
  only: ReadonlySet<string> | null;
  closed(): void;
}

/** A peer that says nothing is not kept. */
export const helloMs = 5000;
export const pingMs = 5000;
export const deadMs = 20_000;
/** Queued for a client that does not read: beyond this it is cut off. */
const mostQueued = 16 * 1024 * 1024;
const mostStreams = 1024;
/** A frame is one write of one emulator: more cells would block its page. */
const frameCells = 100_000;
/** While several streams are active each gets its turn sooner. */
const sharedFrameBytes = 16 * 1024;
const activeMs = 100;
/** A stream in which somebody typed this recently goes before the others. */
const typingMs = 500;
/** Less than this is not worth a frame of its own when the window is nearly full. */
const smallestFrame = 8 * 1024;

interface OpenStream {
  session: Session;
  member: Member;
  ready: boolean;
  typedAt: number;
  sentAt: number;
}

type State = { state: "greeting"; cancel: () => void } | { state: "open"; clientName: string; heardAt: number } | { state: "closed" };

export class AgentConnection {
  readonly #options: AgentConnectionOptions;
  readonly #agent: ConnectionAgent;
  readonly #clock: Clock;
  readonly #transport: Transport;
  readonly #window = new SendWindow();
  readonly #streams = new Map<number, OpenStream>();
  readonly #requests: RequestDesk;
  #state: State;
  #ceiling: Role;
  #heartbeat: (() => void) | null = null;
  /** Streams to pull, the next one first. */
  #turn: OpenStream[] = [];
  #pumping = false;

  constructor(options: AgentConnectionOptions) {
    this.#options = options;
    this.#agent = options.agent;
    this.#clock = options.agent.clock;
    this.#transport = options.transport;
    this.#ceiling = options.ceiling;
    this.#requests = new RequestDesk({
      agent: options.agent,
      client: this,
      principal: options.principal,
      only: options.only,
      say: (message) => this.#say(message),
      crowded: () => this.#transport.queued >= highWater,
    });
    const cancel = this.#clock.after(helloMs, () =>
      this.#refuse(failure("timeout", "No hello came within 5 s.", { scope: "connection", retry: "later" })),
    );
    this.#state = { state: "greeting", cancel };
    options.transport.listen({
      frame: (frame) => this.#frame(frame),
      drain: () => {
        this.#requests.drained();
        this.#pump();
      },
      closed: (reason) => this.#gone(reason),
    });
  }

  /** What the client calls itself; empty before its hello. */
  get name(): string {
    return this.#state.state === "open" ? this.#state.clientName : "";
  }

  get open(): boolean {
    return this.#state.state === "open";
  }

  /** Lowers or raises what this connection may do; acts on its streams at once. */
  setCeiling(ceiling: Role): void {
    this.#ceiling = ceiling;
    for (const { session, member } of this.#streams.values()) session.setCeiling(member, ceiling);
  }

  /** Says goodbye after what is queued; `why` is told as the connection's error. */
  close(why: Failure | null): void {
    if (why !== null) this.#refuse(why);
    else this.#transport.close();
  }

  #frame(frame: Uint8Array): void {
    if (this.#state.state === "closed") return;
    if (this.#state.state === "open") this.#state.heardAt = this.#clock.now();
    const decoded = decodeFrame(frame);
    switch (decoded.kind) {
      case "control":
        this.#control(decoded.json);
        break;
      case "input":
        if (this.#state.state === "open") this.#input(decoded.stream, decoded.position, decoded.bytes);
        else this.#refuse(invalid("The first frame must be a hello."));
        break;
      case "data":
      case "snapshot":
        this.#refuse(invalid(`Only an agent sends ${decoded.kind} frames.`));
        break;
      case "unknown":
        // A newer client may say more than we know.
        if (this.#state.state !== "open") this.#refuse(invalid("The first frame must be a hello."));
        break;
      case "refused":
        this.#refuse(invalid(`The agent got ${decoded.reason}.`));
        break;
      default:
        unreachable(decoded);
    }
  }

  #control(json: string): void {
    const parsed = parse(json);
    if ("problem" in parsed) {
      this.#unparsed(parsed);
      return;
    }
    const { message } = parsed;
    if (message.t === "hello") {
      this.#hello(message);
    } else if (this.#state.state !== "open") {
      this.#refuse(invalid("The first frame must be a hello."));
    } else {
      this.#dispatch(message, this.#state.clientName);
    }
  }

  /** Something that is JSON but no message: answered where it names a request or a stream, else the end. */
  #unparsed({ problem, id, stream, versions }: Unparsed): void {
    if (versions !== null && !this.#speaks(versions)) return;
    if (this.#state.state === "open" && id !== null) {
      this.#say({ t: "reply", id, result: { ok: false, error: failure("invalid", problem) } });
    } else if (this.#state.state === "open" && stream !== null) {
      const open = this.#streams.get(stream);
      if (open !== undefined) open.session.detach(open.member, failure("invalid", problem));
      else this.#say({ t: "error", stream, error: failure("invalid", problem) });
    } else {
      this.#refuse(invalid(problem));
    }
  }

  #hello(hello: ClientHello): void {
    if (this.#state.state !== "greeting") {
      this.#refuse(invalid("A second hello."));
      return;
    }
    const { hello: own } = this.#agent;
    if (!this.#speaks(hello.protocol)) return;
    if (hello.stateId !== null && hello.stateId !== own.stateId) {
      const message = `This is not the agent you mean, but another one on ${own.machine}. Nothing was sent to it.`;
      this.#refuse(failure("not-found", message, { scope: "connection" }));
      return;
    }
    this.#state.cancel();
    this.#state = { state: "open", clientName: shownName(hello.client.name), heardAt: this.#clock.now() };
    this.#say({ t: "hello", ...own, principal: this.#options.principal, maxRole: this.#ceiling });
    this.#beat();
    this.#agent.log("client-connected", { kind: hello.client.kind, product: hello.product.replace(/[^\w.+-]/g, "?") });
  }

  /** Refuses a client of another time. */
  #speaks({ min, max }: { min: number; max: number }): boolean {
    if (max >= protocolVersions.min && min <= protocolVersions.max) return true;
    const speaks = `${protocolVersions.min} to ${protocolVersions.max}`;
    const advice = min > protocolVersions.max ? "Update Muxdeck on this machine; its agent must be started anew." : "Update the client.";
    const message = `The agent on ${this.#agent.hello.machine} speaks protocol ${speaks}, the client ${min} to ${max}. ${advice}`;
    this.#refuse(failure("version", message, { scope: "connection" }));
    return false;
  }

  #beat(): void {
    if (this.#state.state !== "open") return;
    if (this.#clock.now() - this.#state.heardAt >= deadMs) {
      this.#agent.log("client-silent", {});
      this.#transport.terminate();
      return;
    }
    this.#ping();
    this.#heartbeat = this.#clock.after(pingMs, () => this.#beat());
  }

  #ping(): void {
    this.#say({ t: "ping", n: this.#window.probe(this.#clock.now()) });
  }

  #dispatch(message: Exclude<ClientMessage, { t: "hello" }>, clientName: string): void {
    switch (message.t) {
      case "ping":
        this.#say({ t: "pong", n: message.n });
        break;
      case "pong":
        if (this.#window.pong(message.n, this.#clock.now())) this.#pump();
        break;
      case "list":
      case "watch":
      case "new":
      case "rename":
      case "signal":
      case "kill":
      case "dismiss":
      case "screen":
      case "status":
      case "detach-others":
      case "stop":
        this.#request(message, clientName);
        break;
      case "attach":
        this.#attach(message, clientName);
        break;
      case "detach":
      case "credit":
      case "set-role":
      case "view":
      case "take-size":
      case "release-size":
      case "exclusive":
      case "ask-control":
      case "answer-control":
      case "focus":
      case "hash":
      case "input-cancel":
        this.#streamMessage(message);
        break;
      default:
        unreachable(message);
    }
  }

  #request(message: Request, clientName: string): void {
    if (suffices(this.#ceiling, needs[message.t])) {
      this.#requests.handle(message, clientName);
      return;
    }
    const error = failure("not-permitted", `Your role here is ${this.#ceiling}; this needs ${needs[message.t]}.`);
    this.#say({ t: "reply", id: message.id, result: { ok: false, error } });
  }

  #attach(message: Attach, clientName: string): void {
    const refuse = (error: Failure) => this.#say({ t: "error", stream: message.stream, error });
    if (!suffices(this.#ceiling, needs.attach)) {
      refuse(failure("not-permitted", "Your role here does not allow attaching."));
      return;
    }
    if (this.#streams.has(message.stream)) {
      refuse(failure("invalid", "This stream id is in use. Each attach takes a fresh one."));
      return;
    }
    if (this.#streams.size >= mostStreams) {
      refuse(failure("limit", `One connection may hold ${mostStreams} streams. Detach some.`));
      return;
    }
    const found = this.#agent.sessions.resolve(message.session, this.#options.only);
    if (!found.ok) {
      refuse(found.error);
      return;
    }
    const session = found.value;
    let open: OpenStream | null = null;
    let over = false;
    const port: MemberPort = {
      control: (said) => this.#say(said),
      bytes: (kind, position, bytes) => this.#transport.send(encodeBytes(kind, message.stream, position, bytes)),
      ready: () => {
        if (open !== null) this.#ready(open);
      },
      gone: () => {
        over = true;
        if (open !== null) this.#forget(open);
      },
    };
    const who = { client: this, name: clientName, principal: this.#options.principal.id, ceiling: this.#ceiling };
    const member = session.attach(message, who, port);
    if (over) return;
    open = { session, member, ready: false, typedAt: Number.NEGATIVE_INFINITY, sentAt: Number.NEGATIVE_INFINITY };
    this.#streams.set(message.stream, open);
    this.#ready(open);
  }

  /** Messages for an id that is no longer held are dropped: its end and they crossed. */
  #streamMessage(message: Exclude<StreamMessage, Attach>): void {
    const open = this.#streams.get(message.stream);
    if (open === undefined) {
      // Whoever waits for this answer gets it.
      if (message.t === "detach") this.#say({ t: "detached", stream: message.stream });
      return;
    }
    const { session, member } = open;
    if (!suffices(member.role, needs[message.t])) {
      member.refuse(failure("not-permitted", "Observers watch only. Ask for the operator role first."));
      return;
    }
    const { driver } = session;
    const refuse = (error: Failure) => member.refuse(error);
    switch (message.t) {
      case "detach":
        session.detach(member, "asked");
        break;
      case "credit":
        member.sending.credit(message.upTo);
        break;
      case "set-role":
        session.setRole(member, message.role);
        break;
      case "view":
        session.setView(member, message.view);
        break;
      case "take-size":
        check(driver.take(member, message.size), refuse);
        break;
      case "release-size":
        check(driver.release(member), refuse);
        break;
      case "exclusive":
        check(driver.setExclusive(member, message.on), refuse);
        break;
      case "ask-control":
        check(driver.ask(member), refuse);
        break;
      case "answer-control":
        check(driver.answer(member, message.ask, message.answer), refuse);
        break;
      case "focus":
        session.setFocus(member, message.on);
        break;
      case "hash":
        member.sending.hash(message.at, message.value);
        break;
      case "input-cancel":
        session.cancelInput(member);
        break;
      default:
        unreachable(message);
    }
  }

  #input(stream: number, position: number, bytes: Uint8Array): void {
    const open = this.#streams.get(stream);
    if (open === undefined) return;
    const { session, member } = open;
    const error = session.input(member, position, bytes);
    if (error !== null) session.detach(member, error);
    else open.typedAt = this.#clock.now();
  }

  // ---- going out ---------------------------------------------------------------------------------------------------------------

  /** Control goes before all bytes that were not pulled yet. */
  #say(message: AgentMessage): void {
    if (this.#state.state === "closed") return;
    this.#transport.send(encodeControl(JSON.stringify(message)));
    if (this.#transport.queued <= mostQueued) return;
    this.#agent.log("client-stuck", { queued: this.#transport.queued });
    this.#transport.terminate();
  }

  #ready(open: OpenStream): void {
    if (!open.ready) {
      open.ready = true;
      this.#turn.push(open);
    }
    this.#pump();
  }

  #pump(): void {
    if (this.#pumping || this.#state.state !== "open") return;
    this.#pumping = true;
    while (this.#turn.length > 0 && this.#window.room > 0 && this.#transport.queued < highWater) {
      const now = this.#clock.now();
      const open = this.#takeTurn(now);
      if (open === undefined) break;
      const frame = this.#shared(open, now) ? sharedFrameBytes : maxFrameBytes;
      // Cleared first: what gets ready while it is pulled counts.
      open.ready = false;
      const sent = open.member.sending.pull(Math.min(frame, Math.max(this.#window.room, smallestFrame)), frameCells);
      if (sent === 0) continue;
      open.sentAt = now;
      if (this.#window.sent(sent)) this.#ping();
      if (!open.ready) {
        open.ready = true;
        this.#turn.push(open);
      }
    }
    if (this.#window.stuck) this.#ping();
    this.#pumping = false;
  }

  #takeTurn(now: number): OpenStream | undefined {
    const typed = this.#turn.findIndex((open) => now - open.typedAt < typingMs);
    const [open] = this.#turn.splice(Math.max(0, typed), 1);
    return open;
  }

  #shared(mine: OpenStream, now: number): boolean {
    if (this.#streams.size <= 1) return false;
    for (const open of this.#streams.values()) if (open !== mine && (open.ready || now - open.sentAt < activeMs)) return true;
    return false;
  }

  #forget(open: OpenStream): void {
    if (this.#streams.get(open.member.stream) === open) this.#streams.delete(open.member.stream);
    this.#turn = this.#turn.filter((one) => one !== open);
  }

  // ---- the end -----------------------------------------------------------------------------------------------------------------

  #refuse(error: Failure): void {
    if (this.#state.state === "closed") return;
    this.#agent.log("client-refused", { code: error.code });
    this.#say({ t: "error", stream: null, error });
    this.#leave(true);
    this.#transport.close();
  }

  #gone(reason: TransportClosed): void {
    this.#leave(!reason.clean);
  }

  #leave(lost: boolean): void {
    if (this.#state.state === "closed") return;
    if (this.#state.state === "greeting") this.#state.cancel();
    this.#state = { state: "closed" };
    this.#heartbeat?.();
    this.#heartbeat = null;
    this.#requests.close();
    for (const { session, member } of [...this.#streams.values()]) session.detach(member, lost ? "lost" : "asked");
    this.#streams.clear();
    this.#turn = [];
    this.#options.closed();
  }
}

interface Unparsed {
  problem: string;
  /** The request or stream that it names, so that whoever sent it learns why. */
  id: number | null;
  stream: number | null;
  /** Of a hello: the one of another version may have other fields too. */
  versions: { min: number; max: number } | null;
}

function parse(json: string): { message: ClientMessage } | Unparsed {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return { problem: "The agent got a control frame that is not JSON.", id: null, stream: null, versions: null };
  }
  const parsed = clientMessageSchema.safeParse(value);
  if (parsed.success) return { message: parsed.data };
  // Which field, not what stood in it: it may be a secret.
  const where = parsed.error.issues[0]?.path.map(String).join(".") || "t";
  const problem = `The agent got a message it does not understand (${where}).`;
  const named = namedSchema.safeParse(value);
  if (!named.success) return { problem, id: null, stream: null, versions: null };
  const { t, id, stream, protocol } = named.data;
  return { problem, id: id ?? null, stream: stream ?? null, versions: t === "hello" ? (protocol ?? null) : null };
}

/** What can be told from a message that is not one of ours. */
const reference = z.int().min(1).max(0xffffffff).optional().catch(undefined);
const namedSchema = z.object({
  t: z.string().optional().catch(undefined),
  id: reference,
  stream: reference,
  protocol: z.object({ min: z.int(), max: z.int() }).optional().catch(undefined),
});

function invalid(message: string): Failure {
  return failure("invalid", message, { scope: "connection" });
}

/** Others see it: nothing in it may move a cursor or turn text around. */
function shownName(name: string): string {
  return name.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, "") || "a client";
}

function check(result: { ok: true } | { ok: false; error: Failure }, refuse: (error: Failure) => void): void {
  if (!result.ok) refuse(result.error);
}
