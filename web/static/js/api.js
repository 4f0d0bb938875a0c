// The HTTP interface, and nothing else of the network.

/**
 * @typedef {{sample: number, time_s: number, class: string | null, probabilities?: Record<string, number>, quality: string}} Beat
 * @typedef {{start_s: number, end_s: number, reasons: string[]}} Span
 * @typedef {{id: string, notice: string, recording: any, model: any, lead: string, beats: Beat[], unreadable: Span[], quality: any[], summary: any}} RecordingDocument
 * @typedef {{notice: string, recording: any, model: any, rows: {row: number, class: string, probabilities: Record<string, number>}[], counts: Record<string, number>}} RowsDocument
 * @typedef {{type: string, title: string, status: number, detail: string, errors?: {pointer: string, detail: string}[]}} ProblemDocument
 * @typedef {{password: boolean, owner_link: boolean, issuers: string[]}} Offers
 * @typedef {{name: string, signed_in: true} | {signed_in: false, offers: Offers}} Session
 * @typedef {{lead: string, sampling_rate_hz: number, from_s: number, to_s: number, samples_per_point: number, min_mv: (number | null)[], max_mv: (number | null)[]}} Signal
 */

/** What the server answered instead of a result, or that it did not answer. */
export class Refusal extends Error {
  /** @param {ProblemDocument} problem */
  constructor(problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

/** @returns {Refusal} */
function unreachable() {
  return new Refusal({
    type: '/problems/unreachable',
    title: 'no answer',
    status: 0,
    detail: 'The server does not answer. Is it still running? What you chose is kept.',
  });
}

// No other site's page can send this here, so what it comes with is meant.
const PAGE = { 'X-Einthoven-Page': '1' };

/** What is called when the server no longer knows who is here. @type {{signedOut: () => void}} */
export const listener = { signedOut: () => {} };

/** @param {number} status @param {string} path */
function noticed(status, path) {
  if (status === 401 && path !== '/v1/auth/session') listener.signedOut();
}

/** @param {string} path @param {RequestInit} [options] */
async function request(path, options) {
  let response;
  try {
    response = await fetch(path, { ...options, headers: { ...PAGE, ...options?.headers } });
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause;
    throw unreachable();
  }
  noticed(response.status, path);
  if (response.status === 204) return null;
  const body = await response.json().catch(() => null);
  if (!response.ok || body === null) throw body?.detail ? new Refusal(body) : unreachable();
  return body;
}

/** @returns {Promise<Session>} */
export const session = () => request('/v1/auth/session');

/** @param {string} name @param {string} password @returns {Promise<Session>} */
export const signIn = (name, password) =>
  request('/v1/auth/session', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ name, password }) });

export const signOut = () => request('/v1/auth/session', { method: 'DELETE' });

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
  return new Promise((resolve, reject) => {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    for (const file of files) form.append('file', file, file.name);
    // fetch cannot tell how much of a body has left.
    const transfer = new XMLHttpRequest();
    transfer.open('POST', '/v1/recordings');
    for (const [name, value] of Object.entries(PAGE)) transfer.setRequestHeader(name, value);
    transfer.responseType = 'json';
    transfer.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
    transfer.onload = () => {
      noticed(transfer.status, '/v1/recordings');
      if (transfer.status < 300) resolve(transfer.response);
      else reject(transfer.response?.detail ? new Refusal(transfer.response) : unreachable());
    };
    transfer.onerror = () => reject(unreachable());
    transfer.onabort = () => reject(stop.reason);
    stop.addEventListener('abort', () => transfer.abort());
    transfer.send(form);
  });
}
