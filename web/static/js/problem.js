// What the server refused, as it says it, with a form for what it misses.

import { html, useState } from '/assets/vendor/htm-preact.js';

const FIELDS = /** @type {Record<string, {name: string, label: string, unit?: string, choices?: string[]}>} */ ({
  sampling_rate: { name: 'rate', label: 'Sampling rate', unit: 'samples per second' },
  unit: { name: 'unit', label: 'Unit of the samples', choices: ['mV', 'uV', 'V'] },
  record: { name: 'record', label: 'Record' },
  lead: { name: 'lead', label: 'Lead' },
});

/**
 * @param {{problem: import('./api.js').ProblemDocument, fields: Record<string, string>, retry?: (fields: Record<string, string>) => void, close: () => void}} properties
 */
export function Problem({ problem, fields, retry, close }) {
  const [values, setValues] = useState(/** @type {Record<string, string>} */ ({}));
  const asked = (problem.errors ?? []).map((error) => FIELDS[error.pointer]).filter(Boolean);
  // One missing field often comes with another; asking for both at once saves a round.
  if (problem.type === '/problems/missing_field') {
    for (const field of [FIELDS.sampling_rate, FIELDS.unit]) if (!asked.includes(field)) asked.push(field);
  }
  const optional = (/** @type {{name: string}} */ field) => field !== asked[0];
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    retry?.({ ...fields, ...values });
  };
  return html`<section class="problem" role="alert" aria-labelledby="problem-title">
    <h2 id="problem-title">${problem.title[0].toUpperCase() + problem.title.slice(1)}</h2>
    <p>${problem.detail}</p>
    ${retry &&
    html`<form onSubmit=${submit}>
      ${asked.map(
        (field) => html`<label key=${field.name}>
          <span>${field.label}${optional(field) ? ', if the file does not say' : ''}</span>
          ${field.choices
            ? html`<select value=${values[field.name] ?? fields[field.name] ?? ''} required=${!optional(field)}
                onChange=${(/** @type {any} */ event) => setValues({ ...values, [field.name]: event.target.value })}>
                <option value=""></option>
                ${field.choices.map((choice) => html`<option value=${choice}>${choice}</option>`)}
              </select>`
            : html`<input value=${values[field.name] ?? fields[field.name] ?? ''} required=${!optional(field)}
                inputmode=${field.name === 'rate' ? 'decimal' : 'text'} placeholder=${field.unit ?? ''}
                onInput=${(/** @type {any} */ event) => setValues({ ...values, [field.name]: event.target.value.trim() })} />`}
        </label>`,
      )}
      <div class="actions">
        <button class="primary" type="submit">${asked.length ? 'Read the recording' : 'Try again'}</button>
        <button type="button" onClick=${close}>Choose other files</button>
      </div>
    </form>`}
    ${!retry && html`<div class="actions"><button type="button" onClick=${close}>Close</button></div>`}
  </section>`;
}
