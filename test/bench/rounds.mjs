/**
 * Runs the rungs of one metric in turn, round after round, and prints medians, spreads and ratios. A ratio is the median of the ratios of
 * each round, so that a machine whose speed drifts does not decide it. Knows nothing of what is measured.
 */

/** @param {number[]} values @param {number} share 0 to 1 */
export function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export const median = (values) => percentile(values, 0.5);

/**
 * @param {string} name of the metric
 * @param {Record<string, () => Promise<number | null>>} rungs each gives one figure a round; null: not to be had here
 * @param {{ rounds: number, unit: string, say?: (line: string) => void }} options
 * @returns {Promise<Record<string, number[]>>} the figures a rung, in order of the rounds
 */
export async function rounds(name, rungs, { rounds: count, unit, say = console.log }) {
  const figures = {};
  const absent = new Set();
  for (let round = 0; round < count; round += 1) {
    for (const [rung, measure] of Object.entries(rungs)) {
      if (absent.has(rung)) continue;
      const figure = await measure();
      if (figure === null) {
        absent.add(rung);
        say(`skip ${name} ${rung}: not on this machine`);
        continue;
      }
      figures[rung] ??= [];
      figures[rung].push(figure);
    }
  }
  for (const [rung, values] of Object.entries(figures)) {
    say(`  ${name} ${rung}: ${show(median(values))} ${unit} [${show(Math.min(...values))} to ${show(Math.max(...values))}]`);
  }
  return figures;
}

/**
 * Prints `ratio NAME value goal ok|MISS` for over/under of each round.
 *
 * @param {string} name
 * @param {number[] | undefined} over
 * @param {number[] | undefined} under
 * @param {{ atMost?: number, atLeast?: number }} goal
 * @returns {boolean | null} whether the goal is met; null when a side is missing
 */
export function ratio(name, over, under, goal, say = console.log) {
  if (over === undefined || under === undefined) {
    say(`skip ${name}: a side of the ratio is missing`);
    return null;
  }
  const value = median(over.map((figure, round) => figure / (under[round] ?? Number.NaN)));
  const ok = goal.atMost === undefined ? value >= (goal.atLeast ?? 0) : value <= goal.atMost;
  say(`ratio ${name} ${value.toFixed(2)} ${goal.atMost === undefined ? `>= ${goal.atLeast}` : `<= ${goal.atMost}`} ${ok ? "ok" : "MISS"}`);
  return ok;
}

const show = (value) => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));
