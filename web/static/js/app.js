// The page: what is shown now, and how one gets from one thing to the next.

import { html, render, useCallback, useEffect, useState } from '/assets/vendor/htm-preact.js';
import * as api from './api.js';
import { Drop } from './drop.js';
import { Problem } from './problem.js';
import { Result } from './result.js';
import { Rows } from './rows.js';

function App() {
  const [result, setResult] = useState(/** @type {any} */ (null));
  const [busy, setBusy] = useState(/** @type {null | {label: string, share: number | null}} */ (null));
  const [refused, setRefused] = useState(/** @type {null | {problem: any, files: File[], fields: Record<string, string>}} */ (null));

  const failed = (/** @type {unknown} */ cause, /** @type {File[]} */ files, /** @type {Record<string, string>} */ fields) => {
    if (!(cause instanceof api.Refusal)) throw cause;
    setRefused({ problem: cause.problem, files, fields });
  };
  const send = useCallback(async (/** @type {File[]} */ files, /** @type {Record<string, string>} */ fields = {}) => {
    setRefused(null);
    const label = files.length === 1 ? files[0].name : `${files[0].name} and ${files.length - 1} more`;
    setBusy({ label, share: 0 });
    try {
      setResult(await api.upload(files, fields, (share) => setBusy({ label, share: share < 1 ? share : null })));
    } catch (cause) {
      failed(cause, files, fields);
    } finally {
      setBusy(null);
    }
  }, []);
  const choose = useCallback((/** @type {File[]} */ files) => send(files), [send]);
  const open = async (/** @type {string} */ id, /** @type {string} */ title) => {
    setRefused(null);
    setBusy({ label: title, share: null });
    try {
      setResult(await api.openSample(id));
    } catch (cause) {
      failed(cause, [], {});
    } finally {
      setBusy(null);
    }
  };
  useEffect(() => {
    document.title = result ? `${result.recording.name} \u2013 Einthoven` : 'Einthoven';
    scrollTo(0, 0);
  }, [result]);

  return html`<header class="top">
      <a class="brand" href="/" onClick=${(/** @type {Event} */ event) => { event.preventDefault(); setResult(null); setRefused(null); }}>
        <img src="/assets/icon.svg" alt="" width="24" height="24" />Einthoven</a>
      ${result && html`<span class="where">${result.recording.name}</span>`}
      <span class="research">Research use only. Not for diagnosis.</span>
      ${result && html`<button onClick=${() => setResult(null)}>Open another recording</button>`}
    </header>
    <main>
      ${refused && html`<${Problem} problem=${refused.problem} fields=${refused.fields} close=${() => setRefused(null)}
        retry=${refused.files.length ? (/** @type {Record<string, string>} */ fields) => send(refused.files, fields) : undefined} />`}
      ${!result && html`<${Drop} busy=${busy} choose=${choose} open=${open} />`}
      ${result && (result.rows ? html`<${Rows} document=${result} />` : html`<${Result} key=${result.id} document=${result} />`)}
    </main>`;
}

const root = document.getElementById('app');
if (root) {
  root.replaceChildren();
  render(html`<${App} />`, root);
}
