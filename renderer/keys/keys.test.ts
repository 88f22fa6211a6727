/** Chords: the same key on every layout, none that a program needs, none twice. */
import { describe, expect, it } from "vitest";
import { actions, keycaps, leaderChord } from "../deck/actions.js";
import { chordOf, type KeyPress, leaderKeyOf } from "./chord.js";
import { keymapOf } from "./keymap.js";

function press(key: string, more: Partial<KeyPress> & { altGraph?: boolean } = {}): KeyPress {
  return {
    key,
    code: "",
    ctrlKey: false,
    shiftKey: false,
    altKey: false,
    metaKey: false,
    isComposing: false,
    getModifierState: () => more.altGraph === true,
    ...more,
  };
}
const ctrl = { ctrlKey: true };
const ctrlShift = { ctrlKey: true, shiftKey: true };

describe("chordOf", () => {
  it.each([
    [press("T", ctrlShift), "Ctrl+Shift+T"],
    [press("t", ctrlShift), "Ctrl+Shift+T"],
    [press("Е", { ...ctrlShift, code: "KeyT" }), "Ctrl+Shift+T"],
    [press("ö", { ...ctrl, code: "Semicolon" }), "Ctrl+Ö"],
    [press("=", { ...ctrl, code: "Equal" }), "Ctrl+="],
    [press("-", { ...ctrl, code: "Digit6" }), "Ctrl+-"],
    [press("à", { ...ctrl, code: "Digit0" }), "Ctrl+0"],
    [press("Tab", ctrlShift), "Ctrl+Shift+Tab"],
    [press(" ", ctrlShift), "Ctrl+Shift+Space"],
    [press("d", { metaKey: true }), "Meta+D"],
    [press("ArrowLeft", { metaKey: true, altKey: true }), "Meta+Alt+ArrowLeft"],
  ])("%o is %s", (event, name) => expect(chordOf(event)).toBe(name));

  it("leaves alone typing, modifiers, AltGr, composition and dead keys", () => {
    const others = [
      press("t"),
      press("T", { shiftKey: true }),
      press("Enter"),
      press("x", { altKey: true }),
      press("Control", ctrl),
      press("@", { ctrlKey: true, altKey: true }),
      press("€", { altGraph: true, ctrlKey: true }),
      press("T", { ...ctrlShift, isComposing: true }),
      press("Dead", ctrl),
    ];
    expect(others.map(chordOf)).toEqual(others.map(() => null));
  });
});

describe("leaderKeyOf", () => {
  it.each([
    [press("t"), "t"],
    [press("X", { shiftKey: true }), "Shift+X"],
    [press("%", { shiftKey: true }), "%"],
    [press('"', { shiftKey: true }), '"'],
    [press("Tab", { shiftKey: true }), "Shift+Tab"],
    [press("ArrowLeft"), "ArrowLeft"],
    [press("ч", { code: "KeyX" }), "x"],
  ])("%o is %s", (event, name) => expect(leaderKeyOf(event)).toBe(name));
});

describe("the table", () => {
  it("gives no key to two actions", () => {
    for (const keys of [
      actions.flatMap((action) => action.keys),
      actions.flatMap((action) => action.mac),
      actions.flatMap((action) => action.leader),
    ]) {
      expect(keys.filter((key, index) => keys.indexOf(key) !== index)).toEqual([]);
    }
    expect(actions.flatMap((action) => action.keys)).not.toContain(leaderChord);
  });

  it("takes no key that a program needs", () => {
    const { chords } = keymapOf(actions, false);
    const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ".split("");
    const programs = [
      ...letters.map((letter) => `Ctrl+${letter}`),
      ...["Space", "@", "[", "\\", "]", "^", "_", "/"].map((key) => `Ctrl+${key}`),
      ...[2, 3, 4, 5, 6, 7, 8].map((digit) => `Ctrl+${digit}`),
      ..."@^_?26-/".split("").map((key) => `Ctrl+Shift+${key}`),
      ...["E", "U", "I", "Q"].map((letter) => `Ctrl+Shift+${letter}`),
      ...Array.from({ length: 12 }, (_, index) => [`Ctrl+F${index + 1}`, `Ctrl+Shift+F${index + 1}`]).flat(),
      ...["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "Delete"].flatMap((key) => [
        `Ctrl+${key}`,
        `Ctrl+Shift+${key}`,
      ]),
      "Ctrl+PageUp",
      "Ctrl+PageDown",
    ];
    expect(programs.filter((chord) => chords.has(chord))).toEqual([]);
    expect([...chords.keys()].filter((chord) => chord.includes("Alt+"))).toEqual([]);
  });

  it("leaves pasting to the browser", () => {
    expect(keymapOf(actions, false).chords.has("Ctrl+Shift+V")).toBe(false);
  });

  it("writes chords as keycaps", () => {
    expect(["Ctrl+Shift+T", "Ctrl++", "Meta+Alt+ArrowLeft"].map(keycaps)).toEqual([
      ["Ctrl", "Shift", "T"],
      ["Ctrl", "+"],
      ["⌘", "Alt", "←"],
    ]);
  });
});
