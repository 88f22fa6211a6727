/**
 * Burst: `cat` of 20 MB typed at the prompt, from Enter until the end mark is at the client. Ours must deliver every byte (checked by hash) and
 * the exact screen afterwards; tmux need not.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { floodBytes, prompt } from "./peers.mjs";
import { inTime, printRatio, printSkip, takeRounds } from "./rounds.mjs";

const mark = "ENDMARK";

export async function flood(peers, rounds) {
  const line = `cat ${peers.text}; echo END''MARK`;
  const speed = (ms) => [floodBytes / 1e3 / ms];
  const rungs = [];
  let number = 0;
  if (peers.probe !== null) {
    const probed = (command) => async () => speed((await peers.probe(["flood", line, mark, "--", ...command()]))[0][0]);
    rungs.push({ name: "limit", unit: "MB/s", measure: probed(() => ["bash", "--norc", "--noprofile", "-i"]) });
    if (peers.tmux !== null) rungs.push({ name: "tmux", unit: "MB/s", measure: probed(() => peers.tmux.fresh(`flood-${number++}`)) });
  }
  const expected = createHash("sha256").update(readFileSync(peers.text, "latin1").replaceAll("\n", "\r\n"), "latin1").digest("hex");
  rungs.push({ name: "ours", unit: "MB/s", measure: async () => speed(await oursOnce(peers, line, expected)) });
  const values = await takeRounds("flood", rungs, rounds);
  const ours = values.get("ours");
  if (values.has("limit")) printRatio("flood/limit", ours, values.get("limit"), { atLeast: 0.6 });
  else printSkip("flood/limit", "there is no C compiler");
  if (values.has("tmux")) printRatio("flood/tmux", ours, values.get("tmux"), { atLeast: 1.3 });
  else printSkip("flood/tmux", "tmux or a C compiler is not installed");
}

async function oursOnce(peers, line, expected) {
  const session = await peers.session("flood");
  const stream = peers.client.terminal.stream();
  const pieces = [];
  let tail = "";
  let finished = () => {};
  stream.onOutput((data, at) => {
    if (at.kind !== "live") return;
    pieces.push(data);
    tail = (tail + Buffer.from(data.subarray(-64)).toString("latin1")).slice(-64);
    if (tail.includes(`${mark}\r\n`)) finished();
  });
  stream.onGap(({ bytes }) => {
    throw new Error(`${bytes} bytes are missing`);
  });
  await stream.attach(session.sessionId, { from: "oldest" });
  await stream.waitFor(prompt);
  pieces.length = 0;
  const done = new Promise((resolve) => {
    finished = () => resolve(performance.now());
  });
  const start = performance.now();
  await stream.sendInput(`${line}\r`);
  const ms = (await inTime("the end of the flood", done)) - start;
  const all = Buffer.concat(pieces).toString("latin1");
  // After the echo of the line the shell ends bracketed paste; then comes the text.
  const body = all.slice(all.indexOf("\r\n") + 2, all.lastIndexOf(`${mark}\r\n`)).replace("\x1b[?2004l\r", "");
  const digest = createHash("sha256").update(body, "latin1").digest("hex");
  if (digest !== expected) throw new Error(`flood: ${body.length} bytes came, and not the right ones`);
  await stream.close();
  await peers.client.terminal.terminate(session.sessionId);
  return ms;
}
