/**
 * The errors this package rejects with: one class a code of the protocol's closed list, so that callers can tell them apart by class or by
 * `code`. Owns the mapping both ways; the sentences come from where the failure was seen.
 */
import { type ErrorCode, type Failure, failure } from "../protocol/errors.js";

/** Every error of this package. `code` is stable; the message is for people and says what to do. */
export class MuxdeckError extends Error {
  readonly code: ErrorCode;
  /** Whether the same call may work later without anybody changing anything. */
  readonly retryable: boolean;

  constructor(error: Failure) {
    super(error.message);
    this.name = new.target.name;
    this.code = error.code;
    this.retryable = error.retry !== "never";
  }
}

/** An argument that cannot be meant: an unknown mode, a size out of bounds, a second attach. */
export class InvalidError extends MuxdeckError {}
/** No such session, or no such machine. */
export class NotFoundError extends MuxdeckError {}
/** Several fit; `choices` names them. */
export class AmbiguousError extends MuxdeckError {
  readonly choices: readonly string[];

  constructor(error: Failure) {
    super(error);
    this.choices = error.choices ?? [];
  }
}
/** The role does not allow it: an observer typed, resized, signalled or ended; or the agent refused it. */
export class PermissionError extends MuxdeckError {}
export class UnauthenticatedError extends MuxdeckError {}
export class CertificateChangedError extends MuxdeckError {}
/** There is no link just now. */
export class OfflineError extends MuxdeckError {}
/** Nothing answers there. */
export class UnreachableError extends MuxdeckError {}
export class VersionError extends MuxdeckError {}
export class BusyError extends MuxdeckError {}
export class LimitError extends MuxdeckError {}
export class SpawnFailedError extends MuxdeckError {}
/** The session is over. */
export class EndedError extends MuxdeckError {}
/** The agent was started again; its sessions ended with it. */
export class AgentRestartedError extends MuxdeckError {}
/** Input that was not taken, or not all of it. */
export class NotDeliveredError extends MuxdeckError {
  /** Bytes of this call that the program's terminal took. */
  readonly delivered: number;

  constructor(error: Failure, delivered = 0) {
    super(error);
    this.delivered = delivered;
  }
}
export class TimeoutError extends MuxdeckError {}
/** A fault of Muxdeck itself. */
export class InternalError extends MuxdeckError {}

const classes: Record<ErrorCode, new (error: Failure) => MuxdeckError> = {
  invalid: InvalidError,
  "not-found": NotFoundError,
  ambiguous: AmbiguousError,
  "not-permitted": PermissionError,
  unauthenticated: UnauthenticatedError,
  "certificate-changed": CertificateChangedError,
  offline: OfflineError,
  unreachable: UnreachableError,
  version: VersionError,
  busy: BusyError,
  limit: LimitError,
  "spawn-failed": SpawnFailedError,
  ended: EndedError,
  "agent-restarted": AgentRestartedError,
  "not-delivered": NotDeliveredError,
  timeout: TimeoutError,
  internal: InternalError,
};

/** The error of a failure's own class. */
export function errorOf(error: Failure): MuxdeckError {
  return new classes[error.code](error);
}

export function errorWith(code: ErrorCode, message: string, more: Partial<Omit<Failure, "code" | "message">> = {}): MuxdeckError {
  return errorOf(failure(code, message, more));
}
