/**
 * How figures are taken and told: rungs run in turn inside each round, so that whatever else the machine does falls on all of them; a value is
 * the median over rounds, a ratio the median of the rounds' ratios. Ratios are what counts: absolute speeds move by a third between runs.
 */

/**
 * @typedef {{ name: string, unit: string, measure: () => Promise<number[]> }} Rung  each measurement of a round; one or many
 * @param {string} bench @param {Rung[]} rungs @param {number} rounds
 * @returns {Promise<Map<string, number[][]>>} by rung, by round
 */
export async function takeRounds(bench, rungs, rounds) {
  const values = new Map(rungs.map((rung) => [rung.name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const rung of rungs) values.get(rung.name).push(await rung.measure());
  }
  for (const rung of rungs) {
    const all = values.get(rung.name).flat();
    const spread = `[${short(Math.min(...all))} to ${short(Math.max(...all))}]`;
    console.log(
      `rung ${bench}/${rung.name} p50 ${short(median(all))} p90 ${short(quantile(all, 0.9))} ${rung.unit} ${spread} n=${all.length}`,
    );
  }
  return values;
}

/**
 * Prints `ratio NAME value goal ok|MISS`: the median over rounds of ours against the peer's, each at the given quantile of its round.
 * @param {string} name @param {number[][]} ours @param {number[][]} peers
 * @param {{ atLeast?: number, atMost?: number, quantile?: number }} goal
 */
export function printRatio(name, ours, peers, goal) {
  const at = goal.quantile ?? 0.5;
  const value = median(ours.map((values, round) => quantile(values, at) / quantile(peers[round], at)));
  const good = goal.atLeast !== undefined ? value >= goal.atLeast : value <= goal.atMost;
  const wanted = goal.atLeast !== undefined ? `>=${goal.atLeast}` : `<=${goal.atMost}`;
  console.log(`ratio ${name} ${short(value)} ${wanted} ${good ? "ok" : "MISS"}`);
}

/** The promise's value, or an error after 30 s: a figure that does not come must not hold up the rest. */
export async function inTime(what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited 30 s in vain for ${what}`)), 30_000);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

export function printSkip(name, why) {
  console.log(`skip ${name} ${why}`);
}

function median(values) {
  return quantile(values, 0.5);
}

function quantile(values, at) {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(at * sorted.length))];
}

function short(value) {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(3);
}
