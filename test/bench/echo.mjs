/**
 * One key and its echo while another session floods: the hop through agent and SDK (a Node client included) beside a tmux whose other pane
 * floods, and beside the bare pty.
 */
import { prompt } from "./peers.mjs";
import { inTime, printRatio, printSkip, takeRounds } from "./rounds.mjs";

const keys = 60;
const names = ["%", "&", "!", "^", "~", "="];
const floodLine = "while :; do echo yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy; done";

export async function echo(peers, rounds) {
  const rungs = [];
  if (peers.probe !== null) {
    const probed = async (command) =>
      (await peers.probe(["echo", String(keys), "--", ...command])).map(([microseconds]) => microseconds / 1e3);
    rungs.push({ name: "limit", unit: "ms", measure: () => probed(["bash", "--norc", "--noprofile", "-i"]) });
    if (peers.tmux !== null) {
      let number = 0;
      rungs.push({
        name: "tmux",
        unit: "ms",
        measure: async () => {
          const name = `echo-${number++}`;
          // The session exists before the probe's client; a second pane in it floods.
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
          peers.tmux.run(["split-window", "-d", "-t", name, `bash -c '${floodLine}'`]);
          const values = await probed(peers.tmux.attach(name));
          peers.tmux.run(["kill-session", "-t", name]);
          return values;
        },
      });
    }
  }
  rungs.push({ name: "ours", unit: "ms", measure: () => oursOnce(peers) });
  const values = await takeRounds("echo", rungs, rounds);
  if (values.has("tmux")) {
    printRatio("echo-in-flood-p50/tmux", values.get("ours"), values.get("tmux"), { atMost: 1.2 });
    printRatio("echo-in-flood-p90/tmux", values.get("ours"), values.get("tmux"), { atMost: 1.2, quantile: 0.9 });
  } else printSkip("echo-in-flood/tmux", "tmux or a C compiler is not installed");
}

async function oursOnce(peers) {
  const flooding = await peers.session("echo-flood");
  const watcher = peers.client.terminal.stream();
  watcher.onOutput(() => {});
  await watcher.attach(flooding.sessionId, { from: "oldest" });
  await watcher.waitFor(prompt);
  await watcher.sendInput(`${floodLine}\r`);

  const quiet = await peers.session("echo");
  const stream = peers.client.terminal.stream();
  let awaited = -1;
  let seen = () => {};
  stream.onOutput((data) => {
    if (awaited !== -1 && data.includes(awaited)) seen();
  });
  await stream.attach(quiet.sessionId, { from: "oldest" });
  await stream.waitFor(prompt);
  const values = [];
  for (let index = 0; index < keys; index++) {
    const key = names[index % names.length];
    const echoed = new Promise((resolve) => {
      seen = resolve;
    });
    awaited = key.charCodeAt(0);
    const start = performance.now();
    void stream.sendInput(key);
    await inTime("an echo", echoed);
    values.push(performance.now() - start);
    awaited = -1;
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
  for (const [view, session] of [
    [watcher, flooding],
    [stream, quiet],
  ]) {
    await view.close();
    await peers.client.terminal.terminate(session.sessionId);
  }
  return values;
}
