/**
 * The requests of one client, each answered once, and its watch subscription. Owns how many may be under way and the gathering of events
 * for a client that does not read. Roles were checked before a request comes here.
 */
import { type Failure, failure, type Result, unreachable } from "../protocol/errors.js";
import type { AgentHello, AgentMessage, AgentStatus, ReplyValue, Request, RequestType } from "../protocol/messages.js";
import type { SessionEntry } from "../protocol/values.js";
import type { Clock } from "../transport/transport.js";
import type { Session } from "./session.js";
import type { SessionChange, Sessions } from "./sessions.js";

/** What a connection needs of its agent. */
export interface ConnectionAgent {
  readonly clock: Clock;
  readonly sessions: Sessions;
  /** Without the principal's part. */
  readonly hello: Omit<AgentHello, "t" | "principal" | "maxRole">;
  status(): AgentStatus;
  /** Ends all sessions, then the agent. */
  stop(): void;
  log(event: string, fields: Record<string, string | number | boolean | null>): void;
}

/** Requests that take time (a kill, a screen) under way for one client. */
const mostPending = 64;

export interface RequestDeskOptions {
  agent: ConnectionAgent;
  /** The connection; `detach-others` spares its streams. */
  client: object;
  principal: { id: string; name: string };
  only: ReadonlySet<string> | null;
  say(message: AgentMessage): void;
  /** The transport is full: events wait. */
  crowded(): boolean;
}

export class RequestDesk {
  readonly #options: RequestDeskOptions;
  #pending = 0;
  #closed = false;
  #unwatch: (() => void) | null = null;
  /** Events that wait for a client that does not read, the last one of each session. */
  readonly #waiting = new Map<string, { change: SessionChange; entry: SessionEntry }>();

  constructor(options: RequestDeskOptions) {
    this.#options = options;
  }

  handle(request: Request, clientName: string): void {
    const { agent, only, client } = this.#options;
    const { sessions } = agent;
    const { id } = request;
    switch (request.t) {
      case "list":
        this.#done(id, sessions.list(only));
        break;
      case "watch":
        this.#watch();
        this.#done(id, sessions.list(only));
        break;
      case "new": {
        if (only !== null) {
          this.#fail(id, failure("not-permitted", "You were given some sessions of this machine, not the right to start others."));
          break;
        }
        const created = sessions.create(request);
        if (created.ok) this.#done(id, created.value.entry());
        else this.#fail(id, created.error);
        break;
      }
      case "rename":
        this.#with(request, (session) => this.#reply(id, sessions.rename(session, request.name)));
        break;
      case "signal":
        this.#with(request, (session) => this.#reply(id, session.signal(request.signal)));
        break;
      case "kill":
        this.#with(request, (session) => this.#later(id, () => session.kill().then(() => session.entry())));
        break;
      case "dismiss":
        this.#with(request, (session) => this.#reply(id, sessions.dismiss(session)));
        break;
      case "screen":
        this.#with(request, (session) => this.#later(id, () => session.text({ ansi: request.ansi })));
        break;
      case "status":
        this.#done(id, agent.status());
        break;
      case "detach-others":
        this.#with(request, (session) => this.#done(id, { detached: session.detachOthers(client, clientName) }));
        break;
      case "stop":
        this.#done(id, {});
        agent.stop();
        break;
      default:
        unreachable(request);
    }
  }

  /** The transport takes more: events that waited go out. */
  drained(): void {
    for (const [sessionId, { change, entry }] of this.#waiting) {
      if (this.#options.crowded()) return;
      this.#waiting.delete(sessionId);
      this.#options.say({ t: "session", change, entry });
    }
  }

  close(): void {
    this.#closed = true;
    this.#unwatch?.();
    this.#unwatch = null;
    this.#waiting.clear();
  }

  #watch(): void {
    const { agent, only, say, crowded } = this.#options;
    this.#unwatch?.();
    this.#waiting.clear();
    this.#unwatch = agent.sessions.watch((change, entry) => {
      if (only !== null && !only.has(entry.sessionId)) return;
      if (!crowded() && this.#waiting.size === 0) {
        say({ t: "session", change, entry });
        return;
      }
      const before = this.#waiting.get(entry.sessionId);
      // Added and removed within the same wait: nobody needs to know.
      if (before?.change === "added" && change === "removed") this.#waiting.delete(entry.sessionId);
      else this.#waiting.set(entry.sessionId, { change: before?.change === "added" ? "added" : change, entry });
    });
  }

  #with(request: { id: number; session: string }, then: (session: Session) => void): void {
    const found = this.#options.agent.sessions.resolve(request.session, this.#options.only);
    if (found.ok) then(found.value);
    else this.#fail(request.id, found.error);
  }

  #later<T extends RequestType>(id: number, work: () => Promise<ReplyValue<T>>): void {
    if (this.#pending >= mostPending) {
      this.#fail(id, failure("busy", `${mostPending} requests of this client are under way. Wait for them.`, { retry: "later" }));
      return;
    }
    this.#pending += 1;
    work().then(
      (value) => {
        this.#pending -= 1;
        this.#done(id, value);
      },
      () => {
        this.#pending -= 1;
        this.#fail(id, failure("internal", "The agent could not do this; its log says more. Try again.", { retry: "later" }));
      },
    );
  }

  #reply<T extends RequestType>(id: number, result: Result<ReplyValue<T>>): void {
    if (result.ok) this.#done(id, result.value);
    else this.#fail(id, result.error);
  }

  #done(id: number, value: ReplyValue<RequestType>): void {
    if (!this.#closed) this.#options.say({ t: "reply", id, result: { ok: true, value } });
  }

  #fail(id: number, error: Failure): void {
    if (!this.#closed) this.#options.say({ t: "reply", id, result: { ok: false, error } });
  }
}
