// The room of recordings: drop files, see the result. The address names the recording, so that reload and back work.

import { html, useEffect, useRef, useState } from '../view.js';
import { Refusal } from '../api.js';
import { go, href } from '../frame/route.js';
import { usePlace } from '../frame/place.js';
import * as api from './api.js';
import { Drop } from './drop.js';
import { Problem } from './problem.js';
import { Result } from './result.js';
import { Rows } from './rows.js';

/**
 * @typedef {{label: string, share: number | null, cancel: () => void}} Busy
 * @typedef {{problem: import('../api.js').ProblemDocument, fields: Record<string, string>, attempt: number, files: boolean, retry: (fields: Record<string, string>) => void}} Refused
 */

/** @param {{path: string[]}} properties */
export function Recordings({ path: [id] }) {
  const [result, setResult] = useState(/** @type {api.RecordingDocument | api.RowsDocument | null} */ (null));
  const [busy, setBusy] = useState(/** @type {Busy | null} */ (null));
  const [refused, setRefused] = useState(/** @type {Refused | null} */ (null));
  const attempt = useRef(0);
  /** The recording that the result is of. */
  const shown = useRef(/** @type {string | null} */ (null));
  /** Whether this room is still where one is: work that ends elsewhere leads nobody back. */
  const here = useRef(true);

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
      shown.current = found.id ?? null;
      if (here.current) go(...(found.id ? ['recordings', found.id] : ['recordings']));
    } catch (cause) {
      if (stop.signal.aborted) return;
      if (!(cause instanceof Refusal)) throw cause;
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
    go('recordings');
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
    addEventListener('dragover', over);
    addEventListener('drop', dropped);
    addEventListener('paste', pasted);
    here.current = true;
    return () => {
      here.current = false;
      removeEventListener('dragover', over);
      removeEventListener('drop', dropped);
      removeEventListener('paste', pasted);
    };
  }, []);
  useEffect(() => {
    if (id && id !== shown.current) perform('Recording', null, {}, (_, __, stop) => api.recording(id, stop));
    else if (!id && shown.current) {
      shown.current = null;
      setResult(null);
    }
  }, [id]);
  useEffect(() => scrollTo(0, 0), [result]);
  usePlace({
    where: result ? [{ text: 'Recordings', href: href('recordings') }, { text: result.recording.name }] : [{ text: 'Recordings' }],
    model: result ? { name: result.model.name, version: result.model.version } : undefined,
    actions: result && html`<button onClick=${leave}>Open another recording</button>`,
  }, [result]);

  return html`${refused && html`<${Problem} key=${refused.attempt} ...${refused} close=${leave} />`}
    ${!result && html`<${Drop} busy=${busy} choose=${choose} open=${open} />`}
    ${result && ('rows' in result ? html`<${Rows} document=${result} />` : html`<${Result} key=${result.id} document=${result} />`)}`;
}
