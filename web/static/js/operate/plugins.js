// Engines and readers, those that came as plugins with their digests, and what was refused.

import { html } from '../view.js';
import { request } from '../api.js';
import { Digest } from '../controls/digest.js';
import { Shown, useLoaded } from '../controls/loaded.js';
import { State } from '../controls/state.js';
import { Table } from '../controls/table.js';

/** A path that may break after each slash. */
const broken = (/** @type {string} */ path) => path.split('/').map((part, number) => html`${number > 0 && html`/<wbr />`}${part}`);

export function Plugins() {
  const plugins = useLoaded((signal) => request('/v1/plugins', { signal }), []);
  const origin = (/** @type {{sha256?: string | null}} */ row) => (row.sha256 ? html`<${Digest} of=${row.sha256} />` : html`<span class="quiet">in the program</span>`);
  return html`<${Shown} of=${plugins} rows=${5}>${(/** @type {import('openapi').Plugins} */ all) => html`
    <section class="block" aria-labelledby="engines-title"><h2 id="engines-title">Engines</h2>
      <${Table} caption="Engines" rows=${all.engines} id=${(/** @type {import('openapi').EngineState} */ row) => row.name} columns=${[
        { head: 'Engine', cell: (/** @type {import('openapi').EngineState} */ row) => html`${row.name} <span class="quiet">${row.version}</span>` },
        { head: 'State', wide: true, cell: (/** @type {import('openapi').EngineState} */ row) => (row.unavailable ? html`<${State} tone="warn">Not here<//><br /><span class="quiet">${row.unavailable}</span>` : html`<${State} tone="good">Runs<//>`) },
        { head: 'Runtime', cell: (/** @type {import('openapi').EngineState} */ row) => row.runtime },
        { head: 'Formats', cell: (/** @type {import('openapi').EngineState} */ row) => row.formats.map((/** @type {string} */ format) => html`<span key=${format} class="tag mono">${format}</span> `) },
        { head: 'Devices', cell: (/** @type {import('openapi').EngineState} */ row) => row.devices.join(', ') },
        { head: 'Digest', cell: origin },
      ]} /></section>
    <section class="block" aria-labelledby="readers-title"><h2 id="readers-title">Readers from plugins</h2>
      ${all.readers.length === 0 ? html`<p class="quiet">None; the readers of the program are always there.</p>` : html`<${Table} caption="Readers" rows=${all.readers} id=${(/** @type {import('openapi').ReaderState} */ row) => row.name} columns=${[
        { head: 'Reader', cell: (/** @type {import('openapi').ReaderState} */ row) => html`${row.name} <span class="quiet">${row.version}</span>` },
        { head: 'Formats', cell: (/** @type {import('openapi').ReaderState} */ row) => row.formats.join(', ') }, { head: 'Digest', cell: origin }]} />`}</section>
    ${all.refused.length > 0 && html`<section class="block" aria-labelledby="refused-title"><h2 id="refused-title">Refused</h2><${Table} caption="Refused plugins" rows=${all.refused} id=${(/** @type {import('openapi').RefusedPlugin} */ row) => row.path} columns=${[
      { head: 'File', wide: true, cell: (/** @type {import('openapi').RefusedPlugin} */ row) => html`<span class="mono path">${broken(row.path)}</span>` }, { head: 'Why', wide: true, cell: (/** @type {import('openapi').RefusedPlugin} */ row) => row.reason }]} /></section>`}`}<//>`;
}
