// What follows from the times of the beats: intervals and how often each rate occurs. Pure.

/** @typedef {import('./api.js').Beat} Beat */

/** Rates outside of these, in beats a minute, are counted in the outermost bins. */
const [SLOWEST, FASTEST] = [20, 220];
export const BIN = 5;

/** RR intervals between beats of which both are readable. @param {Beat[]} beats @returns {{time: number, ms: number, name: string}[]} */
export function intervals(beats) {
  const found = [];
  for (let at = 1; at < beats.length; at += 1) {
    const name = beats[at].class;
    if (name && beats[at - 1].class) found.push({ time: beats[at].time_s, ms: 1000 * (beats[at].time_s - beats[at - 1].time_s), name });
  }
  return found;
}

/** How many intervals have which rate, from the slowest bin that occurs to the fastest. @param {{ms: number}[]} found */
export function histogram(found) {
  const counts = new Array((FASTEST - SLOWEST) / BIN).fill(0);
  for (const { ms } of found) {
    if (ms > 0) counts[Math.min(counts.length - 1, Math.max(0, Math.floor((60000 / ms - SLOWEST) / BIN + 1e-6)))] += 1;
  }
  const used = counts.map((count, at) => (count ? at : -1)).filter((at) => at >= 0);
  if (!used.length) return [];
  return counts.slice(used[0], used[used.length - 1] + 1).map((count, at) => ({ from: SLOWEST + BIN * (used[0] + at), to: SLOWEST + BIN * (used[0] + at + 1), count }));
}

/** Interval before and after a beat, in ms; null where there is none. @param {Beat[]} beats @param {number} at */
export const around = (beats, at) => [
  at > 0 ? 1000 * (beats[at].time_s - beats[at - 1].time_s) : null,
  at + 1 < beats.length ? 1000 * (beats[at + 1].time_s - beats[at].time_s) : null,
];
