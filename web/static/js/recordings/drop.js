// First visit: one place to drop files, three recordings to try.

import { html, useEffect, useRef, useState } from '../view.js';
import * as api from './api.js';
import { useLoaded } from '../controls/loaded.js';
import { Table } from '../controls/table.js';
import { Time } from '../controls/time.js';
import { count, duration, percent } from '../format.js';
import { href } from '../frame/route.js';

/**
 * @param {{busy: import('./room.js').Busy | null, choose: (files: File[]) => void, open: (id: string, title: string) => void}} properties
 */
export function Drop({ busy, choose, open }) {
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  const [over, setOver] = useState(false);
  const [samples, setSamples] = useState(/** @type {null | {id: string, title: string, description: string}[]} */ (null));
  useEffect(() => {
    api.samples().then((list) => setSamples(list.items), () => setSamples([]));
  }, []);
  return html`<section class="drop-page">
    <h1>Every heartbeat, found and classified</h1>
    <p class="lead">A WFDB record (header and signal files together), an EDF or BDF file, a CSV, an Apple Watch export, or an archive of one. Nothing leaves the server.</p>
    <div class=${over ? 'drop over' : 'drop'} onDragOver=${(/** @type {DragEvent} */ event) => { event.preventDefault(); setOver(true); }}
      onDragLeave=${() => setOver(false)} onDrop=${() => setOver(false)}>
      ${busy
        ? html`<div class="progress" role="status">
            <p>${busy.label}</p>
            <progress max="1" value=${busy.share ?? undefined} aria-label=${busy.label}></progress>
            <p class="quiet">${busy.share === null ? 'Finding and classifying beats' : `${percent(busy.share)} sent`}</p>
            <p><button onClick=${busy.cancel}>Cancel</button></p>
          </div>`
        : html`<svg viewBox="0 0 120 40" aria-hidden="true"><path d="M0 26h26l6-6 6 6h8l4 6 6-30 7 36 5-12h8l7-9 8 9h29" /></svg>
            <p><strong>Drop the files of one recording here</strong></p>
            <p class="quiet">or paste them, or</p>
            <p><button class="primary" onClick=${() => input.current?.click()}>Choose files</button></p>
            <input ref=${input} type="file" multiple hidden aria-label="Files of one recording" onChange=${(/** @type {import('../view.js').FieldEvent} */ event) => {
              const files = [...(event.target.files ?? [])];
              event.target.value = '';
              if (files.length) choose(files);
            }} />`}
    </div>
    <h2>Or try one</h2>
    <ul class="samples" aria-label="Sample recordings">
      ${(samples ?? [null, null, null]).map((/** @type {import('openapi').SampleItem | null} */ sample, /** @type {number} */ index) =>
        sample
          ? html`<li key=${sample.id}><button disabled=${busy !== null} onClick=${() => open(sample.id, sample.title)}>
              <strong>${sample.title}</strong><span>${sample.description}</span></button></li>`
          : html`<li key=${index} class="skeleton" aria-hidden="true"></li>`,
      )}
    </ul>
    <${Kept} />
  </section>`;
}

/** Recordings that are listed; the others are found by their names. */
const MOST = 8;

/** @typedef {import('openapi').RecordingItem} Item */

/** What was brought lately and is still kept, newest first. Where nothing is, nothing is said. */
function Kept() {
  const kept = useLoaded((signal) => api.recordings(signal), []);
  const items = kept.value?.items ?? [];
  if (!items.length) return null;
  const columns = /** @type {import('../controls/table.js').Column<Item>[]} */ ([
    { head: 'Recording', cell: (one) => html`<a href=${href('recordings', one.id)}>${one.name}</a>` },
    { head: 'Length', numeric: true, cell: (one) => duration(one.duration_s) },
    { head: 'Lead', cell: (one) => one.lead },
    { head: 'Beats', numeric: true, cell: (one) => count(one.beats) },
    { head: 'Brought', cell: (one) => html`<${Time} at=${one.created} />` },
  ]);
  return html`<section class="kept" aria-labelledby="kept-title"><h2 id="kept-title">Or go on with one</h2>
    <${Table} caption="Recordings that are kept" columns=${columns} rows=${items.slice(0, MOST)} id=${(/** @type {Item} */ one) => one.id} />
    ${items.length > MOST && html`<p class="quiet small">The ${MOST} newest of ${items.length}; search finds the others.</p>`}</section>`;
}
