// Beats by their shape: each joins the template that it resembles most, or begins one. Pure.

/** Seconds of a beat before and after its R peak. */
export const [BEFORE_S, AFTER_S] = [0.25, 0.45];
/** Points a second at which shapes are compared. */
export const SHAPE_HZ = 100;
const POINTS = Math.round((BEFORE_S + AFTER_S) * SHAPE_HZ);
/** Correlation from which on two shapes are one. */
export const ALIKE = 0.9;
/** Samples by which peaks may lie apart, at `SHAPE_HZ`. */
const SLACK = 2;
/** Templates at most; what resembles none goes to the nearest. */
const MOST = 24;

/**
 * @typedef {{sample: number, time: number, name: string, shape: number[]}} Shaped a beat with its shape in mV, its mean at zero
 * @typedef {{id: string, name: string, shape: number[], members: Shaped[]}} Cluster the mean shape; `name` is the class of most members
 */

/** The shape around an R peak, or null where some of it is missing. @param {import('./api.js').Signal} signal @param {number} time @returns {number[] | null} */
export function shape(signal, time) {
  const step = signal.samples_per_point / signal.sampling_rate_hz;
  const values = [];
  for (let point = 0; point < POINTS; point += 1) {
    const at = (time - BEFORE_S + point / SHAPE_HZ - signal.from_s) / step - 0.5 * (signal.samples_per_point > 1 ? 1 : 0);
    const [low, share] = [Math.floor(at), at - Math.floor(at)];
    const [a, b] = [middle(signal, low), middle(signal, low + 1)];
    if (a === null || b === null) return null;
    values.push(a + share * (b - a));
  }
  const mean = values.reduce((sum, value) => sum + value, 0) / POINTS;
  return values.map((value) => value - mean);
}

/** @param {import('./api.js').Signal} signal @param {number} at */
function middle(signal, at) {
  const [low, high] = [signal.min_mv[at] ?? null, signal.max_mv[at] ?? null];
  return low === null || high === null ? null : (low + high) / 2;
}

/** Greatest correlation of two shapes over small shifts, -1 to 1. @param {number[]} one @param {number[]} other */
export function correlation(one, other) {
  let best = -1;
  for (let shift = -SLACK; shift <= SLACK; shift += 1) {
    let [n, a, b, aa, bb, ab] = [0, 0, 0, 0, 0, 0];
    for (let at = Math.max(0, -shift); at < Math.min(one.length, other.length - shift); at += 1) {
      const [x, y] = [one[at], other[at + shift]];
      n += 1; a += x; b += y; aa += x * x; bb += y * y; ab += x * y;
    }
    const spread = Math.sqrt((aa - (a * a) / n) * (bb - (b * b) / n));
    if (spread > 0) best = Math.max(best, (ab - (a * b) / n) / spread);
  }
  return best;
}

/** Beats in groups of like shape, the largest first. @param {Shaped[]} beats @returns {Cluster[]} */
export function clusters(beats) {
  /** @type {{shape: number[], sum: number[], members: Shaped[]}[]} */
  const found = [];
  for (const beat of beats) {
    let [best, near] = [-1, -2];
    found.forEach((one, at) => {
      const alike = correlation(beat.shape, one.shape);
      if (alike > near) [best, near] = [at, alike];
    });
    if (best < 0 || (near < ALIKE && found.length < MOST)) {
      found.push({ shape: beat.shape, sum: [...beat.shape], members: [beat] });
      continue;
    }
    const one = found[best];
    one.members.push(beat);
    one.sum = one.sum.map((value, at) => value + beat.shape[at]);
    one.shape = one.sum.map((value) => value / one.members.length);
  }
  found.sort((a, b) => b.members.length - a.members.length);
  // Templates that began apart may have come to resemble each other.
  for (let at = 0; at < found.length; at += 1) {
    for (let other = found.length - 1; other > at; other -= 1) {
      if (correlation(found[at].shape, found[other].shape) < ALIKE) continue;
      const [one] = found.splice(other, 1);
      found[at].members.push(...one.members);
      found[at].sum = found[at].sum.map((value, point) => value + one.sum[point]);
      found[at].shape = found[at].sum.map((value) => value / found[at].members.length);
    }
  }
  found.sort((a, b) => b.members.length - a.members.length);
  return found.map((one, at) => ({ id: `t${at + 1}`, name: commonest(one.members), shape: one.shape, members: one.members }));
}

/** @param {Shaped[]} members */
function commonest(members) {
  return [...counted(members.map((beat) => beat.name))][0][0];
}

/** How often each occurs, the most frequent first. @param {string[]} names @returns {Map<string, number>} */
export function counted(names) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return new Map([...counts].sort((a, b) => b[1] - a[1]));
}

/**
 * The beats that are compared where there are too many: all that are not normal as far as they fit, and normal ones evenly spread.
 * @template {{class: string | null}} B @param {B[]} beats @param {number} most @returns {B[]}
 */
export function spread(beats, most) {
  const readable = beats.filter((beat) => beat.class);
  if (readable.length <= most) return readable;
  const even = (/** @type {B[]} */ list, /** @type {number} */ number) => (list.length <= number ? list : Array.from({ length: number }, (_, at) => list[Math.floor((at * list.length) / number)]));
  const odd = even(readable.filter((beat) => beat.class !== 'N'), Math.floor(most * 0.75));
  const kept = new Set([...odd, ...even(readable.filter((beat) => beat.class === 'N'), most - odd.length)]);
  return readable.filter((beat) => kept.has(beat));
}
