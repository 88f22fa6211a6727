/** A muted emulator answers no query, at any split of the bytes, and still does what is not a query. */
import { Terminal } from "@xterm/headless";
import { describe, expect, it } from "vitest";
import { isFocusReport, mute } from "../../protocol/mute.js";

const queries = [
  "\u001b[c",
  "\u001b[0c",
  "\u001b[>c",
  "\u001b[=c",
  "\u001b[5n",
  "\u001b[6n",
  "\u001b[?6n",
  "\u001b[?15n",
  "\u001b[?996n",
  "\u001b[>q",
  "\u001b[>0q",
  "\u001b[4$p",
  "\u001b[?2026$p",
  "\u001b[?1$p",
  "\u001b[?u",
  "\u001b[14t",
  "\u001b[16t",
  "\u001b[18t",
  "\u001b[21t",
  "\u001bP$qm\u001b\\",
  "\u001bP$q q\u001b\\",
  "\u001bP$qr\u001b\\",
  "\u001bP+q544e\u001b\\",
  "\u001b]4;1;?\u0007",
  "\u001b]4;1;?;2;?\u001b\\",
  "\u001b]10;?\u0007",
  "\u001b]10;?;?;?\u0007",
  "\u001b]11;?\u001b\\",
  "\u001b]12;?\u0007",
  "\u001b]52;c;?\u0007",
];

function write(terminal: Terminal, data: string): Promise<void> {
  return new Promise((resolve) => terminal.write(data, resolve));
}

function muted(): { terminal: Terminal; answers: string[] } {
  const terminal = new Terminal({ cols: 80, rows: 24, allowProposedApi: true, windowOptions: {} });
  const answers: string[] = [];
  terminal.onData((data) => answers.push(data));
  mute(terminal.parser);
  return { terminal, answers };
}

describe("mute", () => {
  it("is needed: without it some of these are answered", async () => {
    const terminal = new Terminal({ cols: 80, rows: 24, allowProposedApi: true });
    let answered = 0;
    terminal.onData(() => {
      answered += 1;
    });
    for (const query of queries) await write(terminal, query);
    expect(answered).toBeGreaterThan(5);
  });

  it("answers none of them, however the bytes are split", async () => {
    const { terminal, answers } = muted();
    for (const query of queries) {
      for (let at = 0; at <= query.length; at += 1) {
        await write(terminal, query.slice(0, at));
        await write(terminal, query.slice(at));
      }
    }
    await write(terminal, queries.join(""));
    expect(answers).toEqual([]);
  });

  it("prints nothing of them", async () => {
    const { terminal } = muted();
    await write(terminal, `a${queries.join("")}b`);
    expect(terminal.buffer.active.getLine(0)?.translateToString(true)).toBe("ab");
  });

  it("leaves alone what only looks similar", async () => {
    const { terminal } = muted();
    await write(terminal, "\u001b[2 q\u001b[?25l\u001b[?2004h\u001b[5;7Hx\u001b]4;1;rgb:ff/00/00\u0007");
    expect(terminal.buffer.active.getLine(4)?.getCell(6)?.getChars()).toBe("x");
    expect(terminal.modes.bracketedPasteMode).toBe(true);
  });
});

describe("isFocusReport", () => {
  it("knows exactly the two reports", () => {
    expect(["\u001b[I", "\u001b[O", "\u001b[A", "\u001bOI", "I", "\u001b[I\u001b[I"].map(isFocusReport)).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
  });
});
