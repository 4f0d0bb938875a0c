// Recordings over the HTTP interface.

import { request, send } from '../api.js';

/**
 * @typedef {Omit<import('openapi').Beat, 'class'> & {class: string | null, said?: string | null, relabelled?: boolean}} Beat with `relabelled`, `class` is a reader's and `said` the model's
 * @typedef {import('openapi').UnreadableSpan} Span
 * @typedef {import('openapi').Classification & {id: string, beats: Beat[]}} RecordingDocument one that is kept
 * @typedef {import('openapi').RowsClassification} RowsDocument
 * @typedef {import('openapi').SignalPoints} Signal
 */

/** Those that are kept, newest first. @param {AbortSignal} signal */
export const recordings = (signal) => request('/v1/recordings', { signal });

export const samples = () => request('/v1/samples');

/** @param {string} id @param {AbortSignal} signal @returns {Promise<RecordingDocument>} */
export const openSample = (id, signal) => request(`/v1/samples/${encodeURIComponent(id)}`, { method: 'POST', signal });

/** @param {string} id @param {AbortSignal} signal @returns {Promise<RecordingDocument>} */
export const recording = (id, signal) => request(`/v1/recordings/${encodeURIComponent(id)}`, { signal });

/**
 * @param {string} id @param {string} lead @param {number} from @param {number} to @param {number} points @param {AbortSignal} [signal]
 * @returns {Promise<Signal>}
 */
export function signal(id, lead, from, to, points, signal) {
  const query = new URLSearchParams({ lead, from: String(from), to: String(to), points: String(points) });
  return request(`/v1/recordings/${id}/signal?${query}`, { signal });
}

/**
 * Sends the files of one recording; says how far it is.
 * @param {File[]} files @param {Record<string, string>} fields @param {(share: number) => void} progress @param {AbortSignal} stop
 * @returns {Promise<RecordingDocument | RowsDocument>}
 */
export function upload(files, fields, progress, stop) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  for (const file of files) form.append('file', file, file.name);
  return send('/v1/recordings', form, progress, stop);
}

/** What readers said about the beats of an answer, and what holds. @param {string} prediction @returns {Promise<{beats: {at: number, truth: any, readers: Record<string, any>}[]}>} */
export const labels = (prediction) => request(`/v1/predictions/${encodeURIComponent(prediction)}/labels`);

/** Says something about beats; with the same key it may be sent again. @param {string} prediction @param {object} label @param {string} key */
export const label = (prediction, label, key) => request(`/v1/predictions/${encodeURIComponent(prediction)}/labels`, { method: 'POST', json: label, key });
