/**
 * `npm run bench [name…]`: builds nothing, measures what is in dist/ beside tmux and the kernel's own limit, and prints one line a ratio:
 * `ratio NAME value goal ok|MISS`. Figures, not tests: a MISS does not fail. ROUNDS sets how often (5).
 */
import { attach } from "./attach.mjs";
import { echo } from "./echo.mjs";
import { flood } from "./flood.mjs";
import { interrupt } from "./interrupt.mjs";
import { openPeers } from "./peers.mjs";

const benches = { flood, echo, attach, interrupt };
const names = process.argv.slice(2);
const unknown = names.filter((name) => !Object.hasOwn(benches, name));
if (unknown.length > 0) {
  console.error(`bench: no ${unknown.join(", ")}; there are ${Object.keys(benches).join(", ")}`);
  process.exit(2);
}
const rounds = Number(process.env.ROUNDS ?? 5);
const peers = await openPeers();
try {
  for (const [name, bench] of Object.entries(benches)) {
    if (names.length === 0 || names.includes(name)) await bench(peers, rounds);
  }
} finally {
  await peers.close();
}
