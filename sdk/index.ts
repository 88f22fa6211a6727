/**
 * The package's one entry: `import { MuxdeckClient } from "muxdeck"`. Everything named here is kept stable (docs: contracts, "SDK");
 * everything else is inside.
 */
export { type LocalClientOptions, MuxdeckClient } from "./client.js";
export {
  AgentRestartedError,
  AmbiguousError,
  BusyError,
  CertificateChangedError,
  EndedError,
  InternalError,
  InvalidError,
  LimitError,
  MuxdeckError,
  NotDeliveredError,
  NotFoundError,
  OfflineError,
  PermissionError,
  SpawnFailedError,
  TimeoutError,
  UnauthenticatedError,
  UnreachableError,
  VersionError,
} from "./errors.js";
export { keys } from "./keys.js";
export type { AttachChoices, StreamChoices } from "./stream-choices.js";
export type { CreateChoices, SessionInfo, Terminal } from "./terminal.js";
export type { AttachResult, DoneReason, OutputPosition, TerminalStream } from "./terminal-stream.js";
