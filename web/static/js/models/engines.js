// What every engine made of a version: accepted or why not, how far from the golden outputs, how fast.

import { html } from '../view.js';
import { Quantity } from '../controls/quantity.js';
import { State } from '../controls/state.js';
import { Table } from '../controls/table.js';

/** @typedef {import('openapi').EngineRow} EngineRow */

/** @param {{rows: EngineRow[], chosen?: string, file?: string}} properties */
export function Engines({ rows, chosen, file }) {
  const sizes = [...new Set(rows.flatMap((row) => Object.keys(row.batch_us ?? {})))].map(Number).sort((a, b) => a - b);
  const serves = (/** @type {EngineRow} */ row) => row.engine === chosen && (file === undefined || row.file === file) && row.accepted;
  const columns = /** @type {import('../controls/table.js').Column<EngineRow>[]} */ ([
    { head: 'Engine', cell: (row) => html`${row.engine}${row.provider && row.provider !== 'cpu' ? html` <span class="quiet">${row.provider}</span>` : ''}<br /><span class="mono quiet">${row.file}</span>` },
    { head: 'Accepted', wide: true, cell: (row) => (serves(row) ? html`<${State} tone="live">Serves<//>` : row.accepted ? html`<${State} tone="good">Yes<//>` : html`<${State} tone="bad">No${row.failed_at ? `, at ${row.failed_at.replaceAll('_', ' ')}` : ''}<//><br /><span class="quiet">${row.reason}</span>`) },
    { head: 'Parity: off golden', numeric: true, cell: (row) => (row.max_difference === undefined || row.max_difference === null ? html`<span class="quiet">\u2013</span>` : html`<span class="number">${row.max_difference === 0 ? '0' : row.max_difference.toExponential(1)}</span> <span class="quiet">of ${row.tolerance}</span>`) },
    ...sizes.map((count) => ({ head: `${count} ${count === 1 ? 'row' : 'rows'}`, numeric: true, cell: (/** @type {EngineRow} */ row) => html`<${Quantity} value=${row.batch_us?.[count]} unit="\u00b5s" />` })),
  ]);
  return html`<${Table} caption="Engines and how fast each is" columns=${columns} rows=${rows} id=${(/** @type {EngineRow} */ row) => row.engine + row.file} />`;
}
