// Experiments over the HTTP interface.

import { request } from '../api.js';

/**
 * @typedef {{version: string, percent: number}} Challenger
 * @typedef {{challenger: Challenger, shadow: boolean, at: string, by: string, why: string, until: string}} Withdrawn
 * @typedef {{name: string, model: string, running: boolean, champion: string, splits: Challenger[], shadows: Challenger[], rules: any, started_at: string, started_by: string, why?: string, withdrawn?: Withdrawn[], ended?: {at: string, by: string, why: string, withdrawn: boolean} | null}} Experiment
 * @typedef {{prediction: string, recording: string | null, lead: string | null, record: string | null, sample: number, time_s: number | null, champion: string | null, challenger: string | null, truth?: string | null}} Disagreement
 * @typedef {{splits?: Challenger[], shadows?: Challenger[], rules?: any, reason: string}} Wanted
 */

const path = (/** @type {string[]} */ ...names) => `/v1/experiments${names.map((name) => `/${encodeURIComponent(name)}`).join('')}`;

/** @param {AbortSignal} [signal] @returns {Promise<{items: Experiment[]}>} */
export const experiments = (signal) => request(path(), { signal });

/** @param {string} name @param {AbortSignal} [signal] @returns {Promise<Experiment>} */
export const experiment = (name, signal) => request(path(name), { signal });

/** An answer without a name is a proposal: a second person must ask for the same. @param {{name: string, model: string} & Wanted} wanted @returns {Promise<Experiment | {name?: undefined, proposal: any}>} */
export const start = (wanted) => request(path(), { method: 'POST', json: wanted });

/** @param {string} name @param {Wanted} wanted @returns {Promise<Experiment>} */
export const change = (name, wanted) => request(path(name), { method: 'PATCH', json: wanted });

/** @param {string} name @param {string} reason */
export const stop = (name, reason) => request(`${path(name)}?${new URLSearchParams({ reason })}`, { method: 'DELETE' });

/** @param {string} name @param {string} challenger @param {AbortSignal} [signal] @returns {Promise<any>} */
export const verdict = (name, challenger, signal) => request(`${path(name, 'verdict')}?${new URLSearchParams({ challenger })}`, { signal });

/** @param {string} name @param {string} challenger @param {AbortSignal} [signal] @returns {Promise<{items: Disagreement[]}>} */
export const disagreements = (name, challenger, signal) => request(`${path(name, 'disagreements')}?${new URLSearchParams({ challenger, limit: '200' })}`, { signal });

/** @param {AbortSignal} [signal] @returns {Promise<{items: {name: string, champion: string | null}[]}>} */
export const models = (signal) => request('/v1/models', { signal });

/** @param {string} model @param {AbortSignal} [signal] @returns {Promise<{items: {version: string, state: string}[]}>} */
export const versions = (model, signal) => request(`/v1/models/${encodeURIComponent(model)}/versions?limit=100`, { signal });

/** Everybody in it beside the champion, with what they do. @param {Experiment} experiment */
export const challengers = ({ splits, shadows }) => [
  ...splits.map((one) => ({ ...one, shadow: false })),
  ...shadows.map((one) => ({ ...one, shadow: true })),
];
