/**
 * One stream as its session knows it: who it is, its role and pane, its sending half, and where its messages go. Owns what is said right
 * after `attached`. Decides nothing: roles and sizes are the driver's and the session's rules.
 */
import type { Failure } from "../protocol/errors.js";
import type { AgentMessage, Attach } from "../protocol/messages.js";
import type { Role, StreamRole, View } from "../protocol/values.js";
import type { Clock } from "../transport/transport.js";
import type { Driver, Seat } from "./driver.js";
import type { Holder } from "./holders.js";
import { SendingStream, type StreamSource } from "./stream.js";

/** The connection's end of one stream. */
export interface MemberPort {
  control(message: AgentMessage): void;
  bytes(kind: "data" | "snapshot", position: number, bytes: Uint8Array): void;
  /** The stream may have something to send: `member.stream.pull`. */
  ready(): void;
  /** The stream is over, and everything was said: its id is free. */
  gone(): void;
}

/** Who attaches. */
export interface Attendant {
  /** The connection: `detach-others` spares its own. */
  client: object;
  name: string;
  principal: string;
  ceiling: Role;
}

export interface MemberOptions {
  request: Attach;
  role: StreamRole;
  who: Attendant;
  port: MemberPort;
  holder: Holder;
  /** The holder was here before, so that its input position means something to it. */
  known: boolean;
  source: StreamSource;
  clock: Clock;
  driver: Driver;
  /** The sending half has nothing more to say. */
  finished(member: Member): void;
}

export class Member implements Seat {
  readonly stream: number;
  readonly name: string;
  readonly holder: Holder;
  readonly sending: SendingStream;
  readonly client: object;
  ceiling: Role;
  role: StreamRole;
  view: View | null;
  focused: boolean;
  /** It was an operator: input that was under way when that ended is given back, not a fault. */
  wasOperator: boolean;
  readonly #port: MemberPort;
  readonly #driver: Driver;
  readonly #known: boolean;
  #announced = false;
  #gone = false;

  constructor(options: MemberOptions) {
    const { request, role, who, port, holder, known } = options;
    this.stream = request.stream;
    this.name = who.name;
    this.client = who.client;
    this.ceiling = who.ceiling;
    this.holder = holder;
    this.role = role;
    this.wasOperator = role === "operator";
    this.view = request.view;
    this.focused = request.view?.focused ?? false;
    this.#port = port;
    this.#driver = options.driver;
    this.#known = known;
    this.sending = new SendingStream({
      stream: request.stream,
      source: options.source,
      clock: options.clock,
      begin: request,
      hasScrollback: known && holder.hasScrollback,
      holder: () => ({ role: this.role, inputReceived: known ? holder.received : null }),
      port: {
        control: (message) => this.#control(message),
        bytes: (kind, position, bytes) => port.bytes(kind, position, bytes),
        ready: () => port.ready(),
        finished: () => options.finished(this),
      },
    });
  }

  get holderKey(): string {
    return this.holder.key;
  }

  /** A message of this stream. Before `attached` there is no stream yet to say it on. */
  say(message: AgentMessage): void {
    if (this.#announced && !this.#gone) this.#port.control(message);
  }

  refuse(error: Failure): void {
    this.say({ t: "refused", stream: this.stream, error });
  }

  roleChanged(role: StreamRole): void {
    this.role = role;
    if (role === "operator") this.wasOperator = true;
    this.sending.setRole(role);
    this.say({ t: "role", stream: this.stream, role });
  }

  /** Ends it; `last` is the last thing said. */
  end(last: AgentMessage | null): void {
    if (this.#gone) return;
    this.#gone = true;
    this.holder.hasScrollback = this.sending.hasScrollback;
    this.sending.close();
    if (last !== null) this.#port.control(last);
    this.#port.gone();
  }

  #control(message: AgentMessage): void {
    if (this.#gone) return;
    this.#port.control(message);
    if (message.t !== "attached") return;
    this.#announced = true;
    // Reports and acknowledgements of a link that broke never arrived; what was dropped must not pass for taken.
    for (const { from, to } of this.holder.dropped) this.say({ t: "input-cancelled", stream: this.stream, from, to });
    if (this.#known && this.holder.settled > 0) this.say({ t: "ack", stream: this.stream, upTo: this.holder.settled });
    this.#driver.tell(this);
  }
}
