// Experiments over the HTTP interface.

import { request } from '../api.js';

/**
 * @typedef {import('openapi').Challenger} Challenger
 * @typedef {import('openapi').Withdrawn} Withdrawn
 * @typedef {import('openapi').ExperimentStatus} Experiment
 * @typedef {import('openapi').Disagreement} Disagreement
 * @typedef {import('openapi').VerdictReport} Verdict
 * @typedef {import('openapi').DriftReport} Drift
 */

const path = (/** @type {string[]} */ ...names) => `/v1/experiments${names.map((name) => `/${encodeURIComponent(name)}`).join('')}`;

/** @param {AbortSignal} [signal] @returns {Promise<import('openapi').ExperimentStatusList>} */
export const experiments = (signal) => request(path(), { signal });

/** @param {string} name @param {AbortSignal} [signal] @returns {Promise<Experiment>} */
export const experiment = (name, signal) => request(path(name), { signal });

/** An answer without a name is a proposal: a second person must ask for the same. @param {import('openapi').NewExperiment} wanted @returns {Promise<Experiment | (import('openapi').ExperimentProposed & {name?: undefined})>} */
export const start = (wanted) => request(path(), { method: 'POST', json: wanted });

/** @param {string} name @param {import('openapi').ExperimentPatch} wanted @returns {Promise<Experiment>} */
export const change = (name, wanted) => request(path(name), { method: 'PATCH', json: wanted });

/** @param {string} name @param {string} reason */
export const stop = (name, reason) => request(`${path(name)}?${new URLSearchParams({ reason })}`, { method: 'DELETE' });

/** The newest recordings of a version become what later ones are compared with. @param {string} name @param {import('openapi').NewDriftReference} wanted @returns {Promise<Experiment>} */
export const freeze = (name, wanted) => request(path(name, 'drift', 'reference'), { method: 'POST', json: wanted });

/** @param {string} name @param {string} challenger @param {AbortSignal} [signal] @returns {Promise<Verdict>} */
export const verdict = (name, challenger, signal) => request(`${path(name, 'verdict')}?${new URLSearchParams({ challenger })}`, { signal });

/** @param {string} name @param {string} challenger @param {AbortSignal} [signal] @returns {Promise<import('openapi').DisagreementList>} */
export const disagreements = (name, challenger, signal) => request(`${path(name, 'disagreements')}?${new URLSearchParams({ challenger, limit: '200' })}`, { signal });

/** @param {AbortSignal} [signal] @returns {Promise<import('openapi').ModelItemList>} */
export const models = (signal) => request('/v1/models', { signal });

/** @param {string} model @param {AbortSignal} [signal] @returns {Promise<import('openapi').VersionList>} */
export const versions = (model, signal) => request(`/v1/models/${encodeURIComponent(model)}/versions`, { signal });

/** Everybody in it beside the champion, with what they do. @param {Pick<Experiment, 'splits' | 'shadows'>} experiment */
export const challengers = ({ splits, shadows }) => [
  ...splits.map((one) => ({ ...one, shadow: false })),
  ...shadows.map((one) => ({ ...one, shadow: true })),
];
