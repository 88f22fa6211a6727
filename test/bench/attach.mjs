/**
 * First screen on attach: from asking until a 200x50 screen is drawn, for plain text and for text with a colour a word. tmux: its client's
 * start until the last word of the screen came. Ours: attach on an open connection until a headless xterm parsed the whole screen.
 */

import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { marker, probe, runProbe, size, tmux } from "./peers.mjs";
import { ratio, rounds } from "./rounds.mjs";

const { Terminal } = createRequire(import.meta.url)("@xterm/headless");

function picture(coloured, last) {
  const lines = [];
  for (let row = 0; row < size.rows - 1; row += 1) {
    let line = "";
    for (let word = 0; word < 24; word += 1) line += coloured ? `\x1b[${31 + ((row + word) % 6)}mword${word}\x1b[0m ` : `word${word} `;
    lines.push(line);
  }
  return `\x1b[2J\x1b[H${lines.join("\r\n")}\r\n${last}`;
}

export async function attach({ place, us, count }) {
  const program = probe();
  for (const [kind, goal] of [
    ["plain", 2],
    ["SGR", 4],
  ]) {
    const end = marker();
    const file = join(place.folder, `screen-${kind}`);
    writeFileSync(file, picture(kind === "SGR", end.text));
    const command = ["sh", "-c", `cat ${file}; exec cat`];
    const server = tmux(command);
    const session = await us.client.terminal.create({ command, size });
    const first = await us.watch(session.sessionId, "observer");
    await first.until(end.text);
    await first.stream.close();
    const figures = await rounds(
      `first screen ${kind}`,
      {
        tmux: async () => {
          if (program === null || server === null) return null;
          const [[nanoseconds = 0] = []] = await runProbe(program, ["first", end.text], server.attach);
          return nanoseconds / 1e6;
        },
        ours: () =>
          new Promise((done, fail) => {
            const terminal = new Terminal({ ...size, allowProposedApi: true, logLevel: "off" });
            const stream = us.client.terminal.stream({ mode: "observer" });
            const from = process.hrtime.bigint();
            stream.onOutput((data, at) => {
              if (at.kind !== "screen") return;
              terminal.write(data, () => {
                const to = process.hrtime.bigint();
                const last = terminal.buffer.active.getLine(terminal.buffer.active.baseY + size.rows - 1)?.translateToString(true);
                terminal.dispose();
                stream.close().then(() => {
                  if (last === end.text) done(Number(to - from) / 1e6);
                  else fail(new Error(`first screen ${kind}: the last line is ${JSON.stringify(last)}`));
                }, fail);
              });
            });
            stream.attach(session.sessionId, { from: "screen" }).catch(fail);
          }),
      },
      { rounds: count * 4, unit: "ms" },
    );
    server?.end();
    await us.client.terminal.terminate(session.sessionId);
    ratio(`first screen ${kind} ours/tmux`, figures.ours, figures.tmux, { atMost: goal });
  }
}
