// What can be taken away: what the server writes, and the beats as a table.

import { html } from '../view.js';

/** @param {unknown} value */
function cell(value) {
  const text = value === null || value === undefined ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The beats as CSV (RFC 4180), one row each, with what made them. @param {import('./api.js').RecordingDocument} document @param {import('./api.js').Beat[]} beats */
export function csv(document, beats) {
  const { model } = document;
  /** @type {unknown[][]} */
  const rows = [['sample', 'time_s', 'class', 'label', 'quality', ...model.labels.map((/** @type {string} */ name) => `p_${name}`), 'model', 'version', 'digest']];
  for (const beat of beats) {
    rows.push([beat.sample, beat.time_s, beat.relabelled ? beat.said : beat.class, beat.relabelled ? beat.class : '', beat.quality,
      ...model.labels.map((/** @type {string} */ name) => beat.probabilities?.[name]), model.name, model.version, model.digest]);
  }
  return rows.map((row) => `${row.map(cell).join(',')}\r\n`).join('');
}

/** Gives a file that was made here. @param {string} name @param {string} type @param {string} text */
export function give(name, type, text) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

/** @param {{document: import('./api.js').RecordingDocument, beats: import('./api.js').Beat[], print: () => void}} properties */
export function Downloads({ document, beats, print }) {
  const { id, recording } = document;
  return html`<div class="downloads" role="group" aria-label="Take it with you">
    <a class="button" href=${`/v1/recordings/${id}/annotations`} download>Annotations (WFDB)</a>
    <button onClick=${() => give(`${recording.name}.csv`, 'text/csv', csv(document, beats))}>Beats (CSV)</button>
    <a class="button" href=${`/v1/recordings/${id}`} download=${`${recording.name}.json`}>Result (JSON)</a>
    <a class="button" href=${`/v1/recordings/${id}/fhir`} download>FHIR (R4)</a>
    <button onClick=${print} title="A4 at true scale; the print dialog keeps it as a PDF">PDF or print</button>
  </div>`;
}
