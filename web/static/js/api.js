// The HTTP interface, and nothing else of the network.

/**
 * @typedef {import('openapi').Problem} ProblemDocument
 * @typedef {import('openapi').SignInOffers} Offers
 * @typedef {(import('openapi').SignedIn & {signed_in: true}) | (import('openapi').SignedOut & {signed_in: false})} Session
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

/**
 * @typedef {object} Options
 * @property {string} [method]
 * @property {unknown} [json] the body
 * @property {number} [seen] the revision that a change was decided on; another one by now is a 409
 * @property {string} [key] the same again with it is no second one
 * @property {AbortSignal} [signal]
 */

/** @param {string} path @param {Options} options */
async function answer(path, { method, json, seen, key, signal }) {
  /** @type {Record<string, string>} */
  const headers = { ...PAGE };
  if (json !== undefined) headers['Content-Type'] = 'application/json';
  if (seen !== undefined) headers['If-Match'] = `"${seen}"`;
  if (key !== undefined) headers['Idempotency-Key'] = key;
  let response;
  try {
    response = await fetch(path, { method, signal, headers, body: json === undefined ? undefined : JSON.stringify(json) });
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause;
    throw unreachable();
  }
  noticed(response.status, path);
  return response;
}

/**
 * What is read at a path that is whole as it stands has the type that the document says; elsewhere who asks says it.
 * @typedef {import('openapi').Reads} Reads
 * @typedef {{<P extends keyof Reads>(path: P, options?: {signal?: AbortSignal}): Promise<Reads[P]>, <T = unknown>(path: string, options?: Options): Promise<T>}} Request
 */

/** A document, or null where the answer has none. */
export const request = /** @type {Request} */ (async (/** @type {string} */ path, /** @type {Options} */ options = {}) => {
  const response = await answer(path, options);
  if (response.status === 204) return null;
  const body = await response.json().catch(() => null);
  if (!response.ok || body === null) throw body?.detail ? new Refusal(body) : unreachable();
  return body;
});

/** A file or another answer that is text. @param {string} path @param {Options} [options] @returns {Promise<string>} */
export async function text(path, options = {}) {
  const response = await answer(path, options);
  if (response.ok) return response.text();
  const body = await response.json().catch(() => null);
  throw body?.detail ? new Refusal(body) : unreachable();
}

/**
 * Sends a form; says how much of it has left, which fetch cannot tell.
 * @param {string} path @param {FormData} form @param {(share: number) => void} progress @param {AbortSignal} stop
 * @template T @returns {Promise<T>}
 */
export function send(path, form, progress, stop) {
  return new Promise((resolve, reject) => {
    const transfer = new XMLHttpRequest();
    transfer.open('POST', path);
    for (const [name, value] of Object.entries(PAGE)) transfer.setRequestHeader(name, value);
    transfer.responseType = 'json';
    transfer.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
    transfer.onload = () => {
      noticed(transfer.status, path);
      if (transfer.status < 300) resolve(transfer.response);
      else reject(transfer.response?.detail ? new Refusal(transfer.response) : unreachable());
    };
    transfer.onerror = () => reject(unreachable());
    transfer.onabort = () => reject(stop.reason);
    stop.addEventListener('abort', () => transfer.abort());
    transfer.send(form);
  });
}

/** The path of a resource, each part as it is named. @param {TemplateStringsArray} parts @param {...(string | number)} names */
export const path = (parts, ...names) => String.raw({ raw: parts }, ...names.map((name) => encodeURIComponent(name)));

/** @returns {Promise<Session>} */
export const session = () => request('/v1/auth/session');

/** @param {string} name @param {string} password @returns {Promise<Session>} */
export const signIn = (name, password) => request('/v1/auth/session', { method: 'POST', json: { name, password } });

/** @param {boolean} [everywhere] on every machine, not on this one alone */
export const signOut = (everywhere = false) => request(`/v1/auth/session${everywhere ? '?everywhere=true' : ''}`, { method: 'DELETE' });
