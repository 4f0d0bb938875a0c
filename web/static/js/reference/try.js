// A form that sends an operation's request to this server and shows the answer.

import { html, useState } from '../view.js';
import { curl, requestOf } from './operations.js';

/** Longest answer that is shown whole. */
const LONGEST = 100_000;

/** @param {Response} response */
async function shown(response) {
  const kind = response.headers.get('content-type') ?? '';
  if (kind.includes('octet-stream')) return `${(await response.blob()).size} bytes`;
  const text = await response.text();
  const pretty = kind.includes('json') && text.trim() ? JSON.stringify(JSON.parse(text), null, 2) : text;
  return pretty.length > LONGEST ? `${pretty.slice(0, LONGEST)}\n… ${pretty.length - LONGEST} more characters` : pretty;
}

/** @param {{operation: import('./operations.js').Operation, apiKey: string}} properties */
export function Try({ operation, apiKey }) {
  const kinds = Object.keys(operation.requestBody?.content ?? {});
  const example = operation.requestBody?.content['application/json']?.example;
  const [values, setValues] = useState(/** @type {Record<string, string>} */ ({}));
  const [kind, setKind] = useState(kinds[0] ?? '');
  const [text, setText] = useState(example ? JSON.stringify(example, null, 2) : '');
  const [files, setFiles] = useState(/** @type {File[]} */ ([]));
  const [answer, setAnswer] = useState(/** @type {{status: string, text: string} | null} */ (null));
  const [busy, setBusy] = useState(false);
  const request = requestOf(operation, values, { kind, text, files }, apiKey);
  const send = async (/** @type {Event} */ event) => {
    event.preventDefault();
    setBusy(true);
    try {
      const { url, headers, body } = request;
      const response = await fetch(url, { method: operation.method, headers, body, redirect: 'manual' });
      setAnswer({ status: response.type === 'opaqueredirect' ? 'a redirect' : `${response.status} ${response.statusText}`, text: await shown(response) });
    } catch (cause) {
      setAnswer({ status: 'no answer', text: String(cause) });
    }
    setBusy(false);
  };
  return html`<form class="try" onSubmit=${send} aria-label=${`Try ${operation.operationId}`}>
    <div class="row">${operation.parameters.map((parameter) => {
      const name = `${parameter.in} ${parameter.name}`;
      const set = (/** @type {import('../view.js').FieldEvent} */ event) => setValues({ ...values, [name]: event.currentTarget.value });
      return html`<label key=${name}>${parameter.name} <input required=${parameter.in === 'path'} value=${values[name] ?? ''} placeholder=${parameter.example ?? ''} onInput=${set} /></label>`;
    })}</div>
    ${kinds.length > 1 ? html`<label>Body <select value=${kind} onChange=${(/** @type {import('../view.js').FieldEvent} */ event) => setKind(event.currentTarget.value)}>
      ${kinds.map((one) => html`<option key=${one} value=${one}>${one}</option>`)}</select></label>` : null}
    ${kind === 'multipart/form-data' || kind === 'application/octet-stream'
      ? html`<label>Files <input type="file" multiple=${kind === 'multipart/form-data'} onChange=${(/** @type {import('../view.js').FieldEvent} */ event) => setFiles([...(event.currentTarget.files ?? [])])} /></label>`
      : kind ? html`<label>${kind} <textarea spellcheck=${false} value=${text} onInput=${(/** @type {import('../view.js').FieldEvent} */ event) => setText(event.currentTarget.value)}></textarea></label>` : null}
    <pre aria-label="The same with curl" tabindex="0">${curl(location.origin, operation, request, files)}</pre>
    <div><button class="primary" disabled=${busy}>Send</button></div>
    <div aria-live="polite">${answer ? html`<p><strong>${answer.status}</strong></p><pre tabindex="0">${answer.text}</pre>` : null}</div>
  </form>`;
}
