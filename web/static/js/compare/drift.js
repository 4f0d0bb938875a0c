// Whether recordings have become others than those of the reference, and the rails that withdraw a challenger.

import { html } from '../view.js';
import { State } from '../controls/state.js';
import { Table } from '../controls/table.js';
import { words } from '../format.js';
import { RAILS } from './words.js';

/** @param {number | null | undefined} value @param {number} [digits] */
const plain = (value, digits = 2) => (value === null || value === undefined ? '\u2013' : value.toFixed(digits));

/** @param {{drift: any}} properties */
export function Drift({ drift }) {
  const columns = [
    { head: 'Figure', cell: (/** @type {any} */ row) => words(row.name) },
    { head: 'Reference, median', numeric: true, cell: (/** @type {any} */ row) => html`${plain(row.reference_median)} <span class="quiet">of ${row.reference_recordings}</span>` },
    { head: 'Now, median', numeric: true, cell: (/** @type {any} */ row) => html`${plain(row.median)} <span class="quiet">of ${row.recordings}</span>` },
    { head: 'Stability index', numeric: true, cell: (/** @type {any} */ row) => html`${plain(row.psi)} <span class="quiet">${row.psi_by_chance === null ? '' : `chance ${plain(row.psi_by_chance)}`}</span>` },
    { head: 'p', numeric: true, cell: (/** @type {any} */ row) => (row.p === null ? '\u2013' : row.p < 0.001 ? '< 0.001' : plain(row.p, 3)) },
    { head: 'State', cell: (/** @type {any} */ row) => html`<${State} tone=${row.alarm ? 'bad' : row.p === null ? 'plain' : 'good'}>${row.alarm ? 'changed' : row.p === null ? 'too few' : 'as before'}<//>` },
  ];
  return html`<section class="block"><h2>Drift</h2><p>${drift.sentence}</p>
    ${drift.figures.length > 0 && html`<${Table} caption="Figures of recordings against the reference" columns=${columns} rows=${drift.figures} id=${(/** @type {any} */ row) => row.name} />`}</section>`;
}

/** @param {{rails: Record<string, any>, ruling: {withdraw: boolean, broken: any[], undecided: string[]} | null, withdrawn: any[]}} properties */
export function Rails({ rails, ruling, withdrawn }) {
  const rows = Object.keys(RAILS).map((rail) => ({ rail, limit: rails[rail], broken: ruling?.broken.find((one) => one.rail === rail), undecided: ruling?.undecided.includes(rail) }));
  const columns = [
    { head: 'Guard rail', cell: (/** @type {any} */ row) => RAILS[row.rail] },
    { head: 'Breaks at', numeric: true, cell: (/** @type {any} */ row) => (row.limit === null || row.limit === undefined ? 'off' : String(row.limit)) },
    { head: 'State', cell: (/** @type {any} */ row) => {
      if (row.broken) return html`<${State} tone="bad">broken<//> <span class="quiet">${row.broken.reason}</span>`;
      if (row.limit === null || row.limit === undefined) return html`<${State} tone="past">off<//>`;
      return row.undecided || !ruling ? html`<${State} tone="plain">not enough seen<//>` : html`<${State} tone="good">holds<//>`;
    } },
  ];
  return html`<section class="block"><h2>Guard rails</h2>
    ${withdrawn.map((one) => html`<p key=${one.at} class="withdrawn"><${State} tone="bad">Withdrawn<//> Version ${one.challenger.version}: ${one.why}</p>`)}
    <${Table} caption="Guard rails" columns=${columns} rows=${rows} id=${(/** @type {any} */ row) => row.rail} /></section>`;
}
