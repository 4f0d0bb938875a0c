// Rows that hold one beat each: counts and a table; there is no time to draw.

import { html, useState } from '../view.js';
import { CLASS_NAMES, percent, shortDigest } from '../format.js';
import { sentence } from '../controls/said.js';

const PAGE = 100;

/** @param {{document: import('./api.js').RowsDocument}} properties */
export function Rows({ document }) {
  const [page, setPage] = useState(0);
  const shown = document.rows.slice(page * PAGE, (page + 1) * PAGE);
  const pages = Math.ceil(document.rows.length / PAGE);
  return html`<section class="rows">
    <h1>${document.recording.name}</h1>
    <p class="lead">${document.recording.rows} rows of one beat each. ${document.recording.flags.map((/** @type {import('openapi').Flag} */ flag) => `${sentence(flag.detail)} `)}</p>
    <dl class="strip">
      ${Object.entries(document.counts).map(([name, count]) => html`<div key=${name}>
        <dt><span class=${`mark mark-${name}`}>${name}</span> ${CLASS_NAMES[name]}</dt><dd>${count}</dd>
        <dd class="quiet">${percent(count / document.recording.rows)}</dd></div>`)}
      <div><dt>Model</dt><dd class="small">${document.model.name} ${document.model.version}</dd><dd class="quiet mono">${shortDigest(document.model.digest)}</dd></div>
    </dl>
    <table>
      <caption>Rows ${page * PAGE + 1} to ${page * PAGE + shown.length}</caption>
      <thead><tr><th scope="col">Row</th><th scope="col">Class</th><th scope="col">Probability</th></tr></thead>
      <tbody>${shown.map((row) => html`<tr key=${row.row}><td>${row.row}</td><td><span class=${`mark mark-${row.class}`}>${row.class}</span> ${CLASS_NAMES[row.class]}</td>
        <td>${percent(row.probabilities[row.class])}</td></tr>`)}</tbody>
    </table>
    ${pages > 1 && html`<p class="actions"><button disabled=${page === 0} onClick=${() => setPage(page - 1)}>Previous rows</button>
      <button disabled=${page + 1 >= pages} onClick=${() => setPage(page + 1)}>Next rows</button></p>`}
  </section>`;
}
