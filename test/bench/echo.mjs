/**
 * Echo of one key in one terminal while another floods, both watched by the same client: milliseconds, median of the keys of a round.
 */
import { probe, ready, runProbe, tmux } from "./peers.mjs";
import { percentile, ratio, rounds } from "./rounds.mjs";

const keys = 120;
const flood = "yes 0123456789012345678901234567890123456789";
const raw = "stty raw -echo; printf 'R%s' AW; cat\n";

export async function echo({ place, us, count }) {
  const program = probe();
  const typist = await us.shell(place.shell);
  await typist.stream.sendInput(raw);
  await typist.until("RAW");
  const flooding = await us.client.terminal.create({ command: ["sh", "-c", `exec ${flood}`], size: { cols: 100, rows: 50 } });
  const watcher = await us.watch(flooding.sessionId, "observer");

  const server = tmux(place.shell);
  server?.call("split-window", "-h", flood);
  server?.call("select-pane", "-t", "0");

  const milliseconds = (nanoseconds) => percentile(nanoseconds, 0.5) / 1e6;
  const figures = await rounds(
    "echo beside a flood",
    {
      raw: async () =>
        program === null ? null : milliseconds((await runProbe(program, ["echo", ready, raw, String(keys)], place.shell)).flat()),
      tmux: async () => {
        if (program === null || server === null) return null;
        const result = await runProbe(program, ["echo", ready, raw, String(keys)], server.attach);
        server.call("respawn-pane", "-k", "-t", "0", ...place.shell);
        return milliseconds(result.flat());
      },
      ours: async () => {
        const times = [];
        for (let n = 0; n < keys; n += 1) {
          const key = Buffer.from([0xc3, 0xa0 + (n % 23)]);
          await new Promise((done) => setTimeout(done, 7 + ((n * 7919) % 1000) / 200));
          const from = process.hrtime.bigint();
          const sent = typist.stream.sendInput(key);
          times.push(Number((await typist.until(key.toString())) - from));
          await sent;
        }
        return milliseconds(times);
      },
    },
    { rounds: count, unit: "ms" },
  );
  server?.end();
  await watcher.stream.close();
  await us.client.terminal.terminate(flooding.sessionId);
  await typist.stream.terminate();
  ratio("echo beside a flood ours/tmux", figures.ours, figures.tmux, { atMost: 2 });
}
