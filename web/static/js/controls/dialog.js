// A question on top of the page. What was typed into it stays until it is closed; Escape closes it.

import { html, useEffect, useId, useRef, useState } from '../view.js';
import { Refusal } from '../api.js';
import { Lost } from './lost.js';
import { Said } from './said.js';

/**
 * @param {object} properties
 * @param {string} properties.title
 * @param {() => void} properties.close
 * @param {string} properties.verb what the one button does
 * @param {() => Promise<unknown>} properties.act does it; the dialog closes when it is done
 * @param {boolean} [properties.danger] it takes something away
 * @param {boolean} [properties.ready] whether it can be done as it stands
 * @param {boolean} [properties.wide]
 * @param {(problem: import('../api.js').ProblemDocument | null) => void} [properties.refused] hears what the server said against it
 * @param {any} [properties.children]
 */
export function Dialog({ title, close, verb, act, danger = false, ready = true, wide = false, refused, children }) {
  const id = useId();
  const element = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState(/** @type {import('../api.js').ProblemDocument | null} */ (null));
  const open = useRef(true);
  useEffect(() => {
    const before = document.activeElement;
    element.current?.showModal();
    return () => {
      open.current = false;
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  const say = (/** @type {import('../api.js').ProblemDocument | null} */ said) => {
    setProblem(said);
    refused?.(said);
  };
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    setBusy(true);
    say(null);
    try {
      await act();
      if (open.current) close();
    } catch (cause) {
      if (!open.current) return;
      if (!(cause instanceof Refusal)) throw cause;
      say(cause.problem);
    } finally {
      if (open.current) setBusy(false);
    }
  };
  return html`<dialog ref=${element} class=${wide ? 'wide' : undefined} aria-labelledby=${id} onCancel=${(/** @type {Event} */ event) => { event.preventDefault(); close(); }}>
    <form method="dialog" onSubmit=${submit}>
      <h2 id=${id}>${title}</h2>
      <div class="dialog-body">${children}</div>
      ${problem && (problem.status === 0 ? html`<${Lost} problem=${problem} verb=${verb} />` : html`<${Said} problem=${problem} />`)}
      <div class="actions">
        <button type="submit" class=${danger ? 'primary danger' : 'primary'} disabled=${busy || !ready} aria-busy=${busy ? 'true' : undefined}>${verb}</button>
        <button type="button" onClick=${close}>Cancel</button>
      </div>
    </form>
  </dialog>`;
}
