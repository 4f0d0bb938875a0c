// One thing to fill in: its name, what it means, and what the server said against it.

import { html, useId } from '../view.js';

/**
 * @typedef {object} FieldProperties
 * @property {string} label
 * @property {string} value
 * @property {(value: string) => void} set
 * @property {any} [hint]
 * @property {string | null} [error]
 * @property {boolean} [required]
 * @property {'text' | 'password' | 'number' | 'date' | 'url' | 'area'} [kind]
 * @property {{value: string, text: string}[]} [choices]
 * @property {string} [placeholder]
 * @property {string} [autocomplete]
 * @property {boolean} [mono]
 * @property {number} [rows]
 * @property {boolean} [bare] without the word that it is optional, where everything is
 * @property {boolean} [whole] as wide as all fields, where others stand in pairs
 * @property {string[]} [offers] values to choose from that are not the only ones
 */

/** @param {FieldProperties} properties */
export function Field({ label, value, set, hint, error, required, kind = 'text', choices, placeholder, autocomplete = 'off', mono, rows = 3, bare = false, whole = false, offers }) {
  const id = useId();
  const about = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ') || undefined;
  const shared = { id, value, required, 'aria-describedby': about, 'aria-invalid': error ? 'true' : undefined, class: mono ? 'mono' : undefined };
  const typed = (/** @type {import('../view.js').FieldEvent} */ event) => set(event.target.value);
  return html`<div class=${whole ? 'field whole' : 'field'}>
    <label for=${id}>${label}${required || bare ? '' : html` <span class="quiet">optional</span>`}</label>
    ${choices
      ? html`<select ...${shared} onChange=${typed}>${choices.map((choice) => html`<option key=${choice.value} value=${choice.value}>${choice.text}</option>`)}</select>`
      : kind === 'area'
        ? html`<textarea ...${shared} rows=${rows} placeholder=${placeholder} spellcheck=${false} onInput=${typed}></textarea>`
        : html`<input ...${shared} type=${kind} step=${kind === 'number' ? 'any' : undefined} placeholder=${placeholder} autocomplete=${autocomplete} spellcheck=${false} list=${offers ? `${id}-offers` : undefined} onInput=${typed} />`}
    ${offers && html`<datalist id=${`${id}-offers`}>${offers.map((offer) => html`<option key=${offer} value=${offer}></option>`)}</datalist>`}
    ${hint && html`<p class="hint" id=${`${id}-hint`}>${hint}</p>`}
    ${error && html`<p class="trouble" id=${`${id}-error`}>${error}</p>`}
  </div>`;
}

/** @param {{label: any, checked: boolean, set: (checked: boolean) => void, hint?: any}} properties */
export function Check({ label, checked, set, hint }) {
  const id = useId();
  return html`<div class="check"><input type="checkbox" id=${id} checked=${checked} aria-describedby=${hint ? `${id}-hint` : undefined} onChange=${(/** @type {import('../view.js').FieldEvent} */ event) => set(event.target.checked)} />
    <label for=${id}>${label}</label>${hint && html`<p class="hint" id=${`${id}-hint`}>${hint}</p>`}</div>`;
}

/** What the server said of one field. @param {import('../api.js').ProblemDocument | null} problem @param {string} pointer */
export const errorAt = (problem, pointer) => problem?.errors?.find((error) => error.pointer.replace(/^\//, '') === pointer)?.detail ?? null;
