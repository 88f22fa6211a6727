/**
 * Who may send what: the one table that the agent checks for every message, and that the role tests walk. Owns the rule that an
 * observer causes zero bytes on a pty. Knows no connection.
 */
import type { ClientMessage } from "./messages.js";
import type { Role, StreamRole } from "./values.js";

/** What a sender must be. `driver` rules on top of `operator` are the session's own. */
export type Need = "anyone" | "observer" | "operator" | "admin";

/** For stream messages the stream's own role counts, capped by the principal's; `set-role` is checked against the principal's. */
export const needs: Record<ClientMessage["t"] | "input", Need> = {
  hello: "anyone",
  ping: "anyone",
  pong: "anyone",
  list: "observer",
  watch: "observer",
  screen: "observer",
  status: "observer",
  attach: "observer",
  detach: "observer",
  credit: "observer",
  view: "observer",
  hash: "observer",
  "set-role": "observer",
  "ask-control": "observer",
  new: "operator",
  rename: "operator",
  signal: "operator",
  kill: "operator",
  dismiss: "operator",
  input: "operator",
  "input-cancel": "operator",
  focus: "operator",
  "take-size": "operator",
  "release-size": "operator",
  exclusive: "operator",
  "answer-control": "operator",
  "detach-others": "admin",
  stop: "admin",
};

const ranks: Record<Role | Need, number> = { agent: -1, anyone: 0, observer: 1, operator: 2, admin: 3 };

/** Whether a role suffices for a need. A key of role `agent` may do nothing here. */
export function suffices(role: Role | StreamRole, need: Need): boolean {
  return ranks[role] >= ranks[need];
}

/** The lower of what a stream asked for and what its principal may. */
export function cappedRole(asked: StreamRole, ceiling: Role): StreamRole {
  return asked === "operator" && suffices(ceiling, "operator") ? "operator" : "observer";
}
