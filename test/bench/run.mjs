/**
 * `npm run bench [NAME…]`: every metric, or the named ones, each rung beside its peers in the same rounds. Prints medians, spreads and lines
 * `ratio NAME value goal ok|MISS`; a peer that is not here prints `skip`. The exit code says whether it ran, not whether goals were met.
 */
import { attach } from "./attach.mjs";
import { burst } from "./burst.mjs";
import { echo } from "./echo.mjs";
import { ours } from "./ours.mjs";
import { workplace } from "./peers.mjs";

const metrics = { burst, echo, attach };
const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !Object.hasOwn(metrics, name));
if (unknown.length > 0) {
  console.error(`bench: no metric ${unknown.join(", ")}; there are ${Object.keys(metrics).join(", ")}`);
  process.exit(2);
}
const count = Number(process.env.ROUNDS ?? 5);
const place = workplace();
const us = await ours(place.folder);
try {
  for (const [name, measure] of Object.entries(metrics)) {
    if (asked.length === 0 || asked.includes(name)) await measure({ place, us, count });
  }
} finally {
  await us.end();
  place.remove();
}
