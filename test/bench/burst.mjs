/**
 * Burst flood: `cat` of 20 MB typed at a prompt, seconds to the end marker at the client. Every byte of ours is hashed and compared with
 * what the pty made of the file; a rung that loses bytes is no rung.
 */
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { marker, probe, ready, runProbe, tmux } from "./peers.mjs";
import { ratio, rounds } from "./rounds.mjs";

const megabytes = 20;

export async function burst({ place, us, count }) {
  const file = join(place.folder, "burst");
  let text = "";
  for (let line = 1; text.length < megabytes * 1_000_000; line += 1)
    text += `${line} the quick brown fox jumps over the lazy dog ${line * 7}\n`;
  writeFileSync(file, text);
  // The tty turns each \n into \r\n.
  const expected = createHash("sha256").update(text.replaceAll("\n", "\r\n")).digest("hex");
  const bytes = text.length + text.split("\n").length - 1;

  const program = probe();
  const shell = await us.shell(place.shell);
  const server = tmux(place.shell);

  const timed = async (command) => {
    if (program === null) return null;
    const end = marker();
    const [[nanoseconds = 0] = []] = await runProbe(program, ["burst", ready, `cat ${file}; ${end.print}\n`, end.text], command);
    return nanoseconds / 1e9;
  };
  const figures = await rounds(
    "burst",
    {
      raw: () => timed(place.shell),
      tmux: async () => {
        if (server === null) return null;
        server.call("send-keys", "clear", "Enter");
        return timed(server.attach);
      },
      ours: async () => {
        const end = marker();
        const begin = marker();
        await shell.stream.sendInput(`${begin.print}\n`);
        await shell.until(`${begin.text}\r\n${ready}`);
        const line = `cat ${file}; ${end.print}`;
        const hash = createHash("sha256");
        let seen = 0;
        let echoed = line.length + 2;
        shell.onChunk((data) => {
          const skip = Math.min(echoed, data.length);
          echoed -= skip;
          const part = data.subarray(skip, skip + bytes - seen);
          seen += part.length;
          hash.update(part);
        });
        const from = process.hrtime.bigint();
        const sent = shell.stream.sendInput(`${line}\n`);
        const to = await shell.until(end.text);
        await sent;
        shell.onChunk(null);
        if (hash.digest("hex") !== expected) console.log(`  burst ours: the bytes differ (${seen} of ${bytes})`);
        return Number(to - from) / 1e9;
      },
    },
    { rounds: count, unit: "s" },
  );
  server?.end();
  await shell.stream.terminate();
  ratio("burst raw/ours", figures.raw, figures.ours, { atLeast: 0.45 });
  ratio("burst tmux/ours", figures.tmux, figures.ours, { atLeast: 1.0 });
}
