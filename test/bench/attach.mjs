/**
 * The first full screen after attaching: ours from the call until a headless emulator has parsed the snapshot, tmux's from starting its client
 * until the last word of the screen is drawn. Once with plain text, once with a colour a word.
 */
import xterm from "@xterm/headless";
import { prompt, size } from "./peers.mjs";
import { inTime, printRatio, printSkip, takeRounds } from "./rounds.mjs";

const times = 8;
const screens = {
  plain: `for i in $(seq 49); do printf '%-190s|\\n' "line $i of plain text that fills the row"; done`,
  colour: `for i in $(seq 49); do for j in $(seq 24); do printf '\\033[38;5;%dmword%03d ' $((j * 9)) $j; done; echo; done; printf '\\033[m'`,
};
const last = "LASTWORD";

export async function attach(peers, rounds) {
  for (const [kind, command] of Object.entries(screens)) {
    const rungs = [];
    const line = `clear; ${command}; PS1=LAST''WORD`;
    if (peers.probe !== null && peers.tmux !== null) {
      const name = `attach-${kind}`;
      peers.tmux.run([
        "new-session",
        "-d",
        "-s",
        name,
        "-x",
        "200",
        "-y",
        "50",
        "env",
        `PS1=${prompt}`,
        "bash",
        "--norc",
        "--noprofile",
        "-i",
      ]);
      peers.tmux.run(["send-keys", "-t", name, line, "Enter"]);
      await shows(() => peers.tmux.run(["capture-pane", "-p", "-t", name]));
      const once = async () => (await peers.probe(["seen", last, "--", ...peers.tmux.attach(name)]))[0][0];
      rungs.push({ name: "tmux", unit: "ms", measure: () => repeat(once) });
    }
    const session = await peers.session(`attach-${kind}`);
    const typist = peers.client.terminal.stream();
    typist.onOutput(() => {});
    await typist.attach(session.sessionId, { from: "oldest" });
    await typist.waitFor(prompt);
    await typist.sendInput(`${line}\r`);
    await typist.waitFor(last);
    await typist.close();
    rungs.push({ name: "ours", unit: "ms", measure: () => repeat(() => oursOnce(peers, session.sessionId)) });
    const values = await takeRounds(`attach-${kind}`, rungs, rounds);
    const goal = { atMost: kind === "plain" ? 1.5 : 4 };
    if (values.has("tmux")) printRatio(`attach-${kind}/tmux`, values.get("ours"), values.get("tmux"), goal);
    else printSkip(`attach-${kind}/tmux`, "tmux or a C compiler is not installed");
    await peers.client.terminal.terminate(session.sessionId);
  }
}

async function oursOnce(peers, sessionId) {
  const terminal = new xterm.Terminal({ ...size, allowProposedApi: true, logLevel: "off" });
  const stream = peers.client.terminal.stream({ mode: "observer" });
  const start = performance.now();
  const shown = new Promise((resolve) => {
    stream.onOutput((data, at) => {
      if (at.kind === "screen") terminal.write(data, () => resolve(performance.now() - start));
    });
  });
  await stream.attach(sessionId);
  const ms = await inTime("the first screen", shown);
  const rows = Array.from({ length: size.rows }, (_, row) => terminal.buffer.active.getLine(row)?.translateToString(true) ?? "");
  if (!rows.some((row) => row.includes(last))) throw new Error("attach: the snapshot does not show the screen");
  terminal.dispose();
  await stream.close();
  return ms;
}

async function repeat(once) {
  const values = [];
  for (let index = 0; index < times; index++) values.push(await once());
  return values;
}

async function shows(read) {
  for (let look = 0; look < 500; look++) {
    if (read().includes(last)) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("attach: tmux never showed the screen");
}
