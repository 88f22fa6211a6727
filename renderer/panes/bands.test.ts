/** The words of each state, and which message comes first. */
import { describe, expect, it } from "vitest";
import { firstFacts, type PaneFacts } from "../deck/state.js";
import { type BandContext, bandOf } from "./bands.js";

const context: BandContext = { session: "ledger", machine: "db-eu-2", now: 100_000, ranMs: null };
const facts = (more: Partial<PaneFacts>): PaneFacts => ({
  ...firstFacts("h", "operator"),
  since: 100_000,
  shown: true,
  state: { state: "live" },
  ...more,
});
const words = (more: Partial<PaneFacts>, at: Partial<BandContext> = {}) => {
  const band = bandOf(facts(more), { ...context, ...at });
  return band === null ? null : [band.first, band.second, band.buttons.join(" ")];
};
const error = (code: "not-found" | "not-permitted" | "busy" | "internal" | "unauthenticated", message: string) =>
  ({ code, message, scope: "stream", retry: "never" }) as const;

describe("bandOf", () => {
  it("says nothing while all is well", () => {
    expect(words({})).toBeNull();
    expect(words({ state: { state: "stale", silentMs: 9000 } })).toBeNull();
    expect(words({ state: { state: "starting" }, since: 99_000 })).toBeNull();
  });

  it("says what is started when it takes long", () => {
    expect(words({ state: { state: "starting" }, since: 97_000 })).toEqual(["Starting ledger on db-eu-2.", null, "cancel-start"]);
  });

  it("counts down to the next try", () => {
    const state = { state: "reconnecting", attempt: 4, nextTryMs: 8000 } as const;
    expect(words({ state, heardAt: 98_000 })).toEqual([
      "Reconnecting to db-eu-2, attempt 4, next try in 6 s",
      "The session keeps running there. What you type now is kept below, not sent.",
      "reconnect",
    ]);
    expect(words({ state, heardAt: 90_000, role: "observer" })?.[0]).toBe("Reconnecting to db-eu-2, attempt 4");
    expect(words({ state: { state: "reconnecting", attempt: 0, nextTryMs: null } })?.[0]).toBe("Reconnecting to db-eu-2");
  });

  it("says why no more tries are made", () => {
    expect(words({ state: { state: "lost", error: error("unauthenticated", "The key was refused.") } })).toEqual([
      "No longer trying to reach db-eu-2: the key was refused.",
      "Its last screen is kept.",
      "try-again",
    ]);
  });

  it("names how a session ended", () => {
    expect(words({ state: { state: "ended", exit: { code: 1 }, reason: "exit" } }, { ranMs: 362_000 })).toEqual([
      "Session ended with exit code 1",
      "It ran 6 min 2 s. Its screen and history are kept.",
      "start-again save-text",
    ]);
    expect(words({ state: { state: "ended", exit: { signal: "SIGKILL" }, reason: "exit" } })?.[0]).toBe(
      "Session ended: killed by SIGKILL (9)",
    );
  });

  it("tells an agent's restart from an end, with what was not delivered", () => {
    const state = { state: "ended", exit: null, reason: "agent-restarted" } as const;
    expect(words({ state, draft: { text: "select 1; größe", delivered: 0, since: 0 } })).toEqual([
      "The agent on db-eu-2 restarted, so this session is gone",
      "Its last screen is kept. 17 bytes you typed were not delivered.",
      "start-again copy-undelivered",
    ]);
    expect(words({ state })?.[1]).toBe("Its last screen is kept.");
  });

  it("says what failed and offers only what may help", () => {
    expect(words({ state: { state: "failed", error: error("not-found", "x") } })).toEqual([
      "db-eu-2 has no session ledger any more",
      "It ended, or its agent lost its state, while this computer was away.",
      "start-again close-pane",
    ]);
    expect(words({ state: { state: "failed", error: error("not-permitted", "Your key has no access to db-eu-2.") } })?.[2]).toBe(
      "close-pane",
    );
    expect(words({ state: { state: "failed", error: error("busy", "This pane is shown in another window now.") } })?.[2]).toBe(
      "show-here close-pane",
    );
    expect(words({ state: { state: "failed", error: error("internal", "\u001b[31mboom") } })?.[0]).toBe("[31mboom");
  });

  it("hints for four seconds that keys are not sent, below a refusal", () => {
    expect(words({ role: "observer", hintUntil: 101_000 })).toEqual(["You are watching.", "Keys are not sent.", "operate"]);
    expect(words({ role: "observer", hintUntil: 99_000 })).toBeNull();
    expect(
      words({
        role: "observer",
        hintUntil: 101_000,
        refused: { error: error("not-permitted", "Your key may watch db-eu-1, not type."), at: 99_000 },
      }),
    ).toEqual(["Your key may watch db-eu-1, not type.", "You stay an observer.", ""]);
  });

  it("names who has exclusive control", () => {
    const driver = { mine: false, name: "Mara", exclusive: true };
    expect(words({ driver, refused: { error: error("not-permitted", "x"), at: 99_000 } })).toEqual([
      "Mara has exclusive control.",
      "Keys are not sent.",
      "request-control",
    ]);
    expect(words({ driver, asking: true, role: "observer" })).toEqual(["Asked Mara for control.", "You keep watching.", "cancel-request"]);
  });
});
