// Figures and differences as people read them. Pure.

import { percent } from '../format.js';

const THIN = '\u2009';
const MEASURES = /** @type {Record<string, string>} */ ({ se: 'sensitivity', ppv: 'positive predictivity', f1: 'F1' });
const CLASSES = 'NSVF';

/** The figures that an experiment can be decided by, the usual one first. */
/** @type {import('openapi').Figure[]} */
export const DECIDING = ['v_f1', 's_f1', 'macro_f1', 'accuracy', 'v_se', 'v_ppv', 's_se', 's_ppv', 'n_f1', 'f_f1'];

/** What a figure is called, such as "V F1" for `v_f1`. @param {string} figure */
export function figureName(figure) {
  const [name, measure] = figure.split('_');
  if (MEASURES[measure] && name.length === 1 && CLASSES.includes(name.toUpperCase())) return `${name.toUpperCase()} ${MEASURES[measure]}`;
  return figure === 'macro_f1' ? 'Mean F1 of N, S, V' : sentence(figure);
}

/** Words of a code, as they begin a line. @param {string} code */
const sentence = (code) => { const said = code.replaceAll('_', ' '); return said[0].toUpperCase() + said.slice(1); };

/** Names of figures that their codes do not tell. @type {Record<string, string>} */
const NAMES = { bas_sqi: 'Steady baseline, basSQI', k_sqi: 'Kurtosis, kSQI', p_sqi: 'QRS power, pSQI', rate_bpm: 'Heart rate', confidence: 'Mean probability', agreement: 'Agreement of detectors' };

const UNITS = /** @type {Record<string, string>} */ ({ mv: 'mV', uv: 'µV', bpm: '/min', hz: 'Hz', ms: 'ms', s: 's', db: 'dB' });

/** What a figure of recordings is called, and its unit: "Heart rate" in "/min" for `heart_rate_bpm`. @param {string} name @returns {[string, string]} */
export function measured(name) {
  const share = /^share_(.+)$/.exec(name);
  if (share) return [`Share of ${share[1]}`, ''];
  const [, stem, unit] = /^(.+)_([a-z]+)$/.exec(name) ?? [];
  return [NAMES[name] ?? sentence(UNITS[unit] ? stem : name), UNITS[unit] ?? ''];
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

/** With a true minus. @param {string} text */
export const minus = (text) => text.replace(/(^|[\s(])-(?=\d)/g, '$1\u2212');

/** Where a rail breaks, in words. @param {string} rail @param {number} limit */
export function breaksAt(rail, limit) {
  if (rail === 'p99') return `${limit} times the champion's`;
  if (rail === 'class_shares') return `stability index ${limit}`;
  if (rail === 'relabels') return `evidence ${limit} to 1`;
  if (rail === 'sentinel_misses') return `more than ${limit} missed`;
  return `${Number((100 * limit).toFixed(2))}${THIN}% more`;
}

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
