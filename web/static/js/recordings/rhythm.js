// What follows from the times of the beats: intervals and how often each rate occurs. Pure.

/** @typedef {import('./api.js').Beat} Beat */

/** Rates outside of these, in beats a minute, are counted in the outermost bins. */
const [SLOWEST, FASTEST] = [20, 220];
export const BIN = 5;

/**
 * RR intervals between beats of which both are readable, with nothing unreadable between them: there beats may be missing.
 * @param {Beat[]} beats @param {import('./api.js').Span[]} unreadable in order of time @returns {{time: number, ms: number, name: string}[]}
 */
export function intervals(beats, unreadable) {
  const found = [];
  let next = 0;
  for (let at = 1; at < beats.length; at += 1) {
    const [before, { class: name, time_s: time }] = [beats[at - 1], beats[at]];
    while (next < unreadable.length && unreadable[next].end_s <= before.time_s) next += 1;
    const torn = next < unreadable.length && unreadable[next].start_s < time;
    if (name && before.class && !torn) found.push({ time, ms: 1000 * (time - before.time_s), name });
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

/** Interval before and after a beat, in ms; null where there is none. @param {Beat[]} beats @param {number} at @param {import('./api.js').Span[]} unreadable */
export const around = (beats, at, unreadable) => [at, at + 1].map((to) => {
  const [before, after] = [beats[to - 1], beats[to]];
  const torn = before && after && unreadable.some((span) => span.start_s < after.time_s && span.end_s > before.time_s);
  return before && after && !torn ? 1000 * (after.time_s - before.time_s) : null;
});
