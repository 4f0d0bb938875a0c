// The page: what is shown now, and how one gets from one thing to the next.

import { html, render, useEffect, useRef, useState } from './view.js';
import * as api from './api.js';
import { Drop } from './drop.js';
import { Problem } from './problem.js';
import { Result } from './result.js';
import { Rows } from './rows.js';
import { SignIn } from './signin.js';

/**
 * @typedef {{label: string, share: number | null, cancel: () => void}} Busy
 * @typedef {{problem: api.ProblemDocument, fields: Record<string, string>, attempt: number, files: boolean, retry: (fields: Record<string, string>) => void}} Refused
 */

/** Who is here; what the page is for is shown to them alone. */
function App() {
  const [session, setSession] = useState(/** @type {api.Session | null} */ (null));
  const [attempt, setAttempt] = useState(0);
  const [lost, setLost] = useState(/** @type {api.ProblemDocument | null} */ (null));
  const look = () => api.session().then(
    (found) => { setLost(null); setSession(found); },
    (cause) => {
      if (!(cause instanceof api.Refusal)) throw cause;
      setAttempt((count) => count + 1);
      setLost(cause.problem);
    },
  );
  useEffect(() => {
    api.listener.signedOut = look;
    look();
  }, []);
  if (session?.signed_in) return html`<${Desk} name=${session.name} leave=${() => api.signOut().then(look, look)} />`;
  return html`<${Top} />
    <main>
      ${lost && html`<${Problem} key=${attempt} problem=${lost} fields=${{}} attempt=${attempt} files=${false} retry=${look} close=${() => setLost(null)} />`}
      ${session && html`<${SignIn} offers=${session.offers} done=${look} />`}
    </main>`;
}

/** @param {{home?: () => void, where?: string, children?: any}} properties */
function Top({ home, where, children }) {
  const clicked = home && ((/** @type {Event} */ event) => { event.preventDefault(); home(); });
  return html`<header class="top">
      <a class="brand" href="/" onClick=${clicked}><img src="/assets/icon.svg" alt="" width="24" height="24" />Einthoven</a>
      ${where && html`<span class="where">${where}</span>`}
      <span class="research">Research use only. Not for diagnosis.</span>
      ${children}
    </header>`;
}

/** @param {{name: string, leave: () => void}} properties */
function Desk({ name, leave: signOut }) {
  const [result, setResult] = useState(/** @type {any} */ (null));
  const [busy, setBusy] = useState(/** @type {Busy | null} */ (null));
  const [refused, setRefused] = useState(/** @type {Refused | null} */ (null));
  const attempt = useRef(0);

  /**
   * Does one piece of work: busy while it lasts, then its result, or what the server said against it.
   * @param {string} label @param {File[] | null} files @param {Record<string, string>} fields
   * @param {(fields: Record<string, string>, progress: (share: number) => void, stop: AbortSignal) => Promise<any>} work
   */
  const perform = async (label, files, fields, work) => {
    const stop = new AbortController();
    const busyAt = (/** @type {number | null} */ share) => setBusy({ label, share, cancel: () => stop.abort() });
    setRefused(null);
    busyAt(files ? 0 : null);
    try {
      const found = await work(fields, (share) => busyAt(share < 1 ? share : null), stop.signal);
      attempt.current = 0;
      setResult(found);
      if (found.id && location.hash !== `#${found.id}`) history.pushState(null, '', `#${found.id}`);
    } catch (cause) {
      if (stop.signal.aborted) return;
      if (!(cause instanceof api.Refusal)) throw cause;
      attempt.current = cause.problem.status === 0 ? attempt.current + 1 : 0;
      setResult(null);
      setRefused({ problem: cause.problem, fields, attempt: attempt.current, files: files !== null, retry: (given) => perform(label, files, given, work) });
    } finally {
      setBusy(null);
    }
  };
  const choose = (/** @type {File[]} */ files) => {
    const label = files.length === 1 ? files[0].name : `${files[0].name} and ${files.length - 1} more`;
    setResult(null);
    perform(label, files, {}, (fields, progress, stop) => api.upload(files, fields, progress, stop));
  };
  const open = (/** @type {string} */ id, /** @type {string} */ title) => perform(title, null, {}, (_, __, stop) => api.openSample(id, stop));
  const leave = () => {
    if (location.hash) history.pushState(null, '', '/');
    setResult(null);
    setRefused(null);
  };

  // Files may be dropped or pasted anywhere; a browser would otherwise leave the page to show them.
  const chosen = useRef(choose);
  chosen.current = busy ? () => {} : choose;
  useEffect(() => {
    const over = (/** @type {DragEvent} */ event) => event.preventDefault();
    const given = (/** @type {Event} */ event, /** @type {DataTransfer | null} */ data) => {
      const files = [...(data?.files ?? [])];
      if (event.type === 'drop' || files.length) event.preventDefault();
      if (files.length) chosen.current(files);
    };
    const dropped = (/** @type {DragEvent} */ event) => given(event, event.dataTransfer);
    const pasted = (/** @type {ClipboardEvent} */ event) => given(event, event.clipboardData);
    // The address names the recording, so that going back and reloading work.
    const follow = () => {
      const id = location.hash.slice(1);
      if (id) perform('Recording', null, {}, (_, __, stop) => api.recording(id, stop));
      else setResult(null);
    };
    addEventListener('dragover', over);
    addEventListener('drop', dropped);
    addEventListener('paste', pasted);
    addEventListener('popstate', follow);
    if (location.hash) follow();
    return () => {
      removeEventListener('dragover', over);
      removeEventListener('drop', dropped);
      removeEventListener('paste', pasted);
      removeEventListener('popstate', follow);
    };
  }, []);
  useEffect(() => {
    document.title = result ? `${result.recording.name} \u2013 Einthoven` : 'Einthoven';
    scrollTo(0, 0);
  }, [result]);

  return html`<${Top} home=${leave} where=${result?.recording.name}>
      ${result && html`<button onClick=${leave}>Open another recording</button>`}
      <button class="link quiet" title=${`Signed in as ${name}`} onClick=${signOut}>Sign out</button>
    <//>
    <main>
      ${refused && html`<${Problem} key=${refused.attempt} ...${refused} close=${leave} />`}
      ${!result && html`<${Drop} busy=${busy} choose=${choose} open=${open} />`}
      ${result && (result.rows ? html`<${Rows} document=${result} />` : html`<${Result} key=${result.id} document=${result} />`)}
    </main>`;
}

const root = document.getElementById('app');
if (root) {
  root.replaceChildren();
  render(html`<${App} />`, root);
}
