// What the server refused, as it says it, with a form for what it misses. No answer at all is tried again by itself.

import { html, useEffect, useState } from '../view.js';
import { heading } from '../controls/said.js';

const FIELDS = /** @type {Record<string, {name: string, label: string, unit?: string, choices?: string[]}>} */ ({
  sampling_rate: { name: 'rate', label: 'Sampling rate', unit: 'Hz' },
  unit: { name: 'unit', label: 'Unit of the samples', choices: ['mV', 'uV', 'V'] },
  record: { name: 'record', label: 'Record' },
  lead: { name: 'lead', label: 'Lead' },
});

/** Seconds until the next attempt: 2, 4, 8, then 15. @param {number} attempt */
const wait = (attempt) => Math.min(15, 2 ** attempt);

/**
 * @param {{problem: import('../api.js').ProblemDocument, fields: Record<string, string>, attempt: number, files: boolean, retry: (fields: Record<string, string>) => void, close: () => void}} properties
 */
export function Problem({ problem, fields, attempt, files, retry, close }) {
  const [values, setValues] = useState(/** @type {Record<string, string>} */ ({}));
  const lost = problem.status === 0;
  const [left, setLeft] = useState(wait(attempt));
  useEffect(() => {
    if (!lost) return undefined;
    const timer = setTimeout(() => (left > 1 ? setLeft(left - 1) : retry(fields)), 1000);
    return () => clearTimeout(timer);
  }, [left, lost]);

  const lacking = files ? (problem.errors ?? []).filter((error) => FIELDS[error.pointer]) : [];
  const asked = lacking.map((error) => FIELDS[error.pointer]);
  const required = asked.length;
  const missing = asked.length > 0 && problem.type === '/problems/missing_field';
  if (missing) {
    // One often comes with another; asking for both at once saves a round.
    for (const field of [FIELDS.sampling_rate, FIELDS.unit]) if (!asked.includes(field)) asked.push(field);
  }
  // How a program gives what is missing stands in the problem's own words alone; here there is a form.
  const said = lacking.length ? lacking : [problem];
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    retry({ ...fields, ...values });
  };
  const set = (/** @type {string} */ name) => (/** @type {import('../view.js').FieldEvent} */ event) => setValues({ ...values, [name]: event.target.value.trim() });
  return html`<section class=${lost ? 'problem lost' : 'problem'} aria-labelledby="problem-title">
    <div role="alert">
      <h2 id="problem-title">${missing ? 'The file does not say everything' : heading(problem.title)}</h2>
      ${said.map(({ detail }) => html`<p key=${detail}>${detail}${/[.?!]$/.test(detail) ? '' : '.'}</p>`)}
    </div>
    ${lost && html`<p class="quiet">Trying again in ${left}\u2009s.</p>`}
    <form onSubmit=${submit}>
      ${asked.map((field, index) => {
        const value = values[field.name] ?? fields[field.name] ?? '';
        return html`<label key=${field.name}>
          <span>${field.label}${field.unit ? `, ${field.unit}` : ''}${index >= required ? html` <span class="quiet">(if the file does not say)</span>` : ''}</span>
          ${field.choices
            ? html`<select value=${value} required=${index < required} onChange=${set(field.name)}>
                <option value="">Choose</option>
                ${field.choices.map((choice) => html`<option value=${choice}>${choice === 'uV' ? '\u00b5V' : choice}</option>`)}
              </select>`
            : html`<input value=${value} required=${index < required} inputmode=${field.name === 'rate' ? 'decimal' : 'text'} onInput=${set(field.name)} />`}
        </label>`;
      })}
      <div class="actions">
        ${(lost || asked.length > 0) && html`<button class="primary" type="submit">${lost ? 'Try again now' : 'Read the recording'}</button>`}
        <button type="button" onClick=${close}>${files ? 'Choose other files' : 'Close'}</button>
      </div>
    </form>
  </section>`;
}
