// Figures and differences as people read them. Pure.

import { percent } from '../format.js';

const THIN = '\u2009';
const MEASURES = /** @type {Record<string, string>} */ ({ se: 'sensitivity', ppv: 'positive predictivity', f1: 'F1' });
const CLASSES = 'NSVF';

/** The figures that an experiment can be decided by, the usual one first. */
export const DECIDING = ['v_f1', 's_f1', 'macro_f1', 'accuracy', 'v_se', 'v_ppv', 's_se', 's_ppv', 'n_f1', 'f_f1'];

/** What a figure is called, such as "V F1" for `v_f1`. @param {string} figure */
export function figureName(figure) {
  const [name, measure] = figure.split('_');
  if (MEASURES[measure] && name.length === 1 && CLASSES.includes(name.toUpperCase())) return `${name.toUpperCase()} ${MEASURES[measure]}`;
  return figure === 'macro_f1' ? 'mean F1 of N, S, V' : figure.replaceAll('_', ' ');
}

/** The class that a figure is of; null for one over all. @param {string} figure */
export function figureClass(figure) {
  const [name, measure] = figure.split('_');
  return MEASURES[measure] && name.length === 1 ? name.toUpperCase() : null;
}

/** A difference of shares in points, with its sign. @param {number | null | undefined} difference @param {number} [digits] */
export function points(difference, digits = 1) {
  if (difference === null || difference === undefined) return '\u2013';
  const value = (100 * difference).toFixed(digits);
  const bare = value.replace('-', '');
  return Number(value) === 0 ? (0).toFixed(digits) : `${difference > 0 ? '+' : '\u2212'}${bare}`;
}

/** @param {{low: number, high: number} | null | undefined} interval */
export const pointsInterval = (interval) => (interval ? `${points(interval.low)} to ${points(interval.high)}` : 'no interval');

/** @param {number | null | undefined} value @param {{low: number, high: number} | null | undefined} interval */
export const estimate = (value, interval) => (interval ? `${percent(value)}, ${(100 * interval.low).toFixed(1)} to ${(100 * interval.high).toFixed(1)}` : percent(value));

/** @param {number} share of subjects, in per cent */
export const shareOf = (share) => `${Number(share.toFixed(2))}${THIN}%`;

/** What a standing is, as a sign and a word. @type {Record<string, [import('../controls/state.js').Tone, string]>} */
export const STANDINGS = {
  better: ['good', 'Challenger is better'],
  worse: ['bad', 'Challenger is worse'],
  alike: ['plain', 'Alike'],
  too_early: ['busy', 'Too early to say'],
  unlabelled: ['warn', 'Nothing labelled yet'],
};

export const RAILS = /** @type {Record<string, string>} */ ({
  errors: 'Errors and timeouts', p99: 'Latency, 99th percentile', empty: 'Empty or not finite answers', withheld: 'Withheld beats',
  class_shares: 'Class shares', relabels: 'Relabelled beats', sentinel_misses: 'Sentinel set',
});
