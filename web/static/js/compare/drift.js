// Whether recordings have become others than those of the reference, and the rails that withdraw a challenger.

import { html } from '../view.js';
import { State } from '../controls/state.js';
import { Table } from '../controls/table.js';
import { Time } from '../controls/time.js';
import { percent } from '../format.js';
import { RAILS, breaksAt, measured } from './words.js';

/** @param {number | null | undefined} value @param {number} [digits] */
const plain = (value, digits = 2) => (value === null || value === undefined ? '\u2013' : value.toFixed(digits));

/** A middle value: shares in per cent, counts as they are. @param {{name: string}} row @param {number | null | undefined} value */
const middle = ({ name }, value) => (/share/.test(name) ? percent(value) : Number.isInteger(value) ? String(value) : plain(value));

/** What is compared with, since when. @param {{frozen: import('openapi').FrozenReference | undefined, freeze: (() => void) | null}} properties */
function Reference({ frozen, freeze }) {
  return html`<p class="reference">${frozen
    ? html`The reference is frozen: ${frozen.recordings} recordings, <${Time} at=${frozen.at} /> by ${frozen.by}.`
    : 'The reference is not frozen yet: that happens by itself once there are 100 recordings.'}
    ${freeze && html` <button onClick=${freeze}>Freeze a new reference</button>`}</p>`;
}

/** @param {{drift: import('./api.js').Verdict['drift'], frozen: import('openapi').FrozenReference | undefined, freeze: (() => void) | null}} properties */
export function Drift({ drift, frozen, freeze }) {
  const columns = [
    { head: 'Figure', cell: (/** @type {import('openapi').DriftedFigure} */ row) => { const [name, unit] = measured(row.name); return html`${name}${unit && html`, <span class="unit">${unit}</span>`}`; } },
    { head: 'Reference, median', numeric: true, cell: (/** @type {import('openapi').DriftedFigure} */ row) => html`${middle(row, row.reference_median)} <span class="quiet">of ${row.reference_recordings}</span>` },
    { head: 'Now, median', numeric: true, cell: (/** @type {import('openapi').DriftedFigure} */ row) => html`${middle(row, row.median)} <span class="quiet">of ${row.recordings}</span>` },
    { head: 'Stability index', numeric: true, cell: (/** @type {import('openapi').DriftedFigure} */ row) => html`${plain(row.psi)} <span class="quiet">${row.psi_by_chance === null ? '' : `chance ${plain(row.psi_by_chance)}`}</span>` },
    { head: 'p', numeric: true, cell: (/** @type {import('openapi').DriftedFigure} */ row) => (row.p === null || row.p === undefined ? '\u2013' : row.p < 0.001 ? '< 0.001' : plain(row.p, 3)) },
    { head: 'State', cell: (/** @type {import('openapi').DriftedFigure} */ row) => html`<${State} tone=${row.alarm ? 'bad' : row.p === null || row.p === undefined ? 'plain' : 'good'}>${row.alarm ? 'changed' : row.p === null || row.p === undefined ? 'too few' : 'as before'}<//>` },
  ];
  const table = html`<${Table} caption="Figures of recordings against the reference" columns=${columns} rows=${drift.figures} id=${(/** @type {import('openapi').DriftedFigure} */ row) => row.name} />`;
  const early = drift.figures.every((row) => row.p === null || row.p === undefined);
  return html`<section class="block"><h2>Drift</h2><p>${drift.sentence}</p>
    <${Reference} frozen=${frozen} freeze=${freeze} />
    ${drift.figures.length > 0 && (early ? html`<details><summary>Figures so far</summary>${table}</details>` : table)}</section>`;
}

/** @param {{rails: import('openapi').Rails, ruling: import('openapi').Ruling | null, withdrawn: import('./api.js').Withdrawn[]}} properties */
export function Rails({ rails, ruling, withdrawn }) {
  const rows = /** @type {import('openapi').Rail[]} */ (Object.keys(RAILS)).map((rail) => ({ rail, limit: rails[rail], broken: ruling?.broken.find((one) => one.rail === rail), undecided: ruling?.undecided.includes(rail) }));
  const columns = [
    { head: 'Guard rail', cell: (/** @type {typeof rows[number]} */ row) => RAILS[row.rail] },
    { head: 'Breaks at', cell: (/** @type {typeof rows[number]} */ row) => (row.limit === null || row.limit === undefined ? '\u2013' : breaksAt(row.rail, row.limit)) },
    { head: 'State', cell: (/** @type {typeof rows[number]} */ row) => {
      if (row.broken) return html`<${State} tone="bad">broken<//> <span class="quiet">${row.broken.reason}</span>`;
      if (row.limit === null || row.limit === undefined) return html`<${State} tone="past">off<//>`;
      return row.undecided || !ruling ? html`<${State} tone="plain">not enough seen<//>` : html`<${State} tone="good">holds<//>`;
    } },
  ];
  return html`<section class="block"><h2>Guard rails</h2>
    ${withdrawn.map((one) => html`<p key=${one.at} class="withdrawn"><${State} tone="bad">Withdrawn<//> Version ${one.challenger.version}: ${one.why}</p>`)}
    <${Table} caption="Guard rails" columns=${columns} rows=${rows} id=${(/** @type {typeof rows[number]} */ row) => row.rail} /></section>`;
}
