/**
 * Ctrl-C under `cat` of endless text until the next prompt, at a client that takes 10 MB a second (what a page parses). tmux throws output away
 * beyond a few screens; ours follows the client's rate, and past its ring of history goes on with a snapshot, which then holds the prompt.
 */
import { prompt } from "./peers.mjs";
import { inTime, printRatio, printSkip, takeRounds } from "./rounds.mjs";

const rate = 10e6;
const times = 5;

export async function interrupt(peers, rounds) {
  const line = `cat ${Array(10).fill(peers.text).join(" ")}`;
  const rungs = [];
  if (peers.probe !== null) {
    const probed = (command) => async () =>
      (await peers.probe(["interrupt", String(times), String(rate), line, "--", ...command()])).flat();
    rungs.push({ name: "limit", unit: "ms", measure: probed(() => ["bash", "--norc", "--noprofile", "-i"]) });
    let number = 0;
    if (peers.tmux !== null) rungs.push({ name: "tmux", unit: "ms", measure: probed(() => peers.tmux.fresh(`interrupt-${number++}`)) });
  }
  rungs.push({ name: "ours", unit: "ms", measure: () => oursOnce(peers, line) });
  const values = await takeRounds("interrupt", rungs, rounds);
  if (values.has("tmux")) printRatio("interrupt/tmux", values.get("ours"), values.get("tmux"), { atMost: 2 });
  else printSkip("interrupt/tmux", "tmux or a C compiler is not installed");
}

async function oursOnce(peers, line) {
  const session = await peers.session("interrupt");
  const stream = peers.client.terminal.stream();
  let tail = "";
  let seen = () => {};
  let free = 0;
  stream.onOutput(async (data, at) => {
    // As a page would: the next bytes wait until these are parsed.
    free = Math.max(free, performance.now()) + (data.length / rate) * 1e3;
    const ahead = free - performance.now();
    if (ahead > 1) await new Promise((resolve) => setTimeout(resolve, ahead));
    tail = (tail + Buffer.from(data.subarray(-64)).toString("latin1")).slice(-64);
    if (tail.endsWith(prompt) || (at.kind === "screen" && Buffer.from(data).includes(prompt))) seen();
  });
  await stream.attach(session.sessionId, { from: "oldest" });
  await stream.waitFor(prompt);
  const values = [];
  for (let index = 0; index < times; index++) {
    await stream.sendInput(`${line}\r`);
    await new Promise((resolve) => setTimeout(resolve, 400));
    tail = "";
    const back = new Promise((resolve) => {
      seen = resolve;
    });
    const start = performance.now();
    void stream.sendInput("\x03");
    await inTime("the prompt after Ctrl-C", back);
    values.push(performance.now() - start);
  }
  await stream.close();
  await peers.client.terminal.terminate(session.sessionId);
  return values;
}
