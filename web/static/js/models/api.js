// Models and versions over the HTTP interface, and what follows from them.

import { path, request } from '../api.js';

/**
 * @typedef {import('openapi').Challenger} Challenger
 * @typedef {import('openapi').Traffic} Traffic
 * @typedef {import('openapi').StoredFile} StoredFile
 * @typedef {import('openapi').VersionPhase} Phase
 * @typedef {import('openapi').VersionOrigin} Origin
 * @typedef {import('openapi').Evaluation} Evaluation
 * @typedef {import('openapi').Version} Version
 * @typedef {import('openapi').Gate} Gate
 * @typedef {import('openapi').TrafficChange} TrafficChange
 * @typedef {import('openapi').Model} Model
 * @typedef {import('openapi').ModelItem} ModelItem
 */

/** @param {string} name @param {AbortSignal} [signal] @returns {Promise<Model>} */
export const model = (name, signal) => request(path`/v1/models/${name}`, { signal });

/** @param {string} name @param {string} version @param {AbortSignal} [signal] @returns {Promise<import('openapi').VersionDetail>} */
export const version = (name, version, signal) => request(path`/v1/models/${name}/versions/${version}`, { signal });

/** How it was judged. @param {string} name @param {string} version @param {AbortSignal} [signal] @returns {Promise<import('openapi').Verification>} */
export const verification = (name, version, signal) => request(path`/v1/models/${name}/versions/${version}/verification`, { signal });

/** The engines of what answers. @param {string} name @param {AbortSignal} [signal] @returns {Promise<import('openapi').ModelEngines>} */
export const engines = (name, signal) => request(path`/v1/models/${name}/engines`, { signal });

/** The engine that a version is ready on. @param {Phase | undefined} phase */
export const engineOf = (phase) => (phase?.state === 'ready' ? phase.engine : 'none');

/** Versions, newest first. @param {Model} model */
export const newestFirst = (model) => Object.values(model.versions).sort((a, b) => b.added_seq - a.added_seq);

/** Share of the subjects that a version answers, in per cent. @param {Traffic} traffic @param {string} version */
export function share(traffic, version) {
  const splits = traffic.splits ?? [];
  if (traffic.champion === version) return 100 - splits.reduce((sum, one) => sum + one.percent, 0);
  return splits.find((one) => one.version === version)?.percent ?? 0;
}

/** What answers, in words. @param {Traffic | undefined} traffic */
export function inWords(traffic) {
  if (!traffic?.champion) return 'nothing';
  const splits = (traffic.splits ?? []).map((one) => `${one.version} for ${one.percent}\u2009%`);
  const shadows = (traffic.shadows ?? []).map((one) => `${one.version} beside it`);
  return [`version ${traffic.champion}`, ...splits, ...shadows].join(', ');
}

/** What a version lacks for the gate that can be told from here; the server decides. @param {Model} model @param {Version} version @param {string} who */
export function lacks({ gate, proposal }, version, who) {
  const found = [];
  if (gate.card && !version.files?.some((file) => file.name === 'CARD.md')) found.push('It brings no CARD.md, which the gate asks for.');
  if (gate.metric) {
    const { set, metric, at_least: least } = gate.metric;
    const value = version.evaluations?.[set]?.metrics[metric];
    if (value === undefined) found.push(`It was not measured on the set ${set}, where ${metric} must be at least ${least}.`);
    else if (value < least) found.push(`Its ${metric} on ${set} is ${value.toFixed(4)}; at least ${least} is required.`);
  }
  if (gate.second_person && !(proposal?.version === version.name && proposal.by !== who)) found.push('A second person is required: this proposes it, and somebody else promotes it.');
  return found;
}

/** Where a version came from, in words. @param {Origin} origin */
export function cameFrom(origin) {
  if (origin.kind === 'embedded') return 'came with the program';
  if (origin.kind === 'upload') return `uploaded as ${origin.file}`;
  if (origin.kind === 'folder') return 'from a folder, at start';
  return `from MLflow, ${origin.source} ${origin.model}/${origin.version}`;
}
