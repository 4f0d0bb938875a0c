// All beats as a table: the same that the trace shows, for reading instead of looking.

import { html, useState } from '../view.js';
import { CLASS_NAMES, clock, percent, words } from '../format.js';

const PAGE = 50;

/** @param {{beats: import('./api.js').Beat[], go: (time: number) => void}} properties */
export function BeatTable({ beats, go }) {
  const [wanted, setWanted] = useState('all');
  const [page, setPage] = useState(0);
  const kinds = [...new Set(beats.map((beat) => beat.class ?? 'unreadable'))];
  const chosen = wanted === 'all' ? beats : beats.filter((beat) => (beat.class ?? 'unreadable') === wanted);
  const shown = chosen.slice(page * PAGE, (page + 1) * PAGE);
  return html`<div class="beats">
    <label class="filter">Show <select value=${wanted} onChange=${(/** @type {import('../view.js').FieldEvent} */ event) => { setWanted(event.target.value); setPage(0); }}>
      <option value="all">all ${beats.length} beats</option>
      ${kinds.map((kind) => html`<option value=${kind}>${CLASS_NAMES[kind] ?? kind}</option>`)}
    </select></label>
    <table>
      <caption>${chosen.length} beats${chosen.length > PAGE ? `, ${page * PAGE + 1} to ${page * PAGE + shown.length} shown` : ''}</caption>
      <thead><tr><th scope="col">Time</th><th scope="col">Class</th><th scope="col">Probability</th><th scope="col">Quality</th></tr></thead>
      <tbody>${shown.map((beat) => html`<tr key=${beat.sample}>
        <td><button class="link" onClick=${() => go(beat.time_s)}>${clock(beat.time_s, 2)}</button></td>
        <td>${beat.class ? html`<span class=${`mark mark-${beat.class}`}>${beat.class}</span> ${CLASS_NAMES[beat.class]}${beat.relabelled ? html` <span class="quiet">(was ${beat.said ?? 'unreadable'})</span>` : ''}` : '\u2013'}</td>
        <td>${beat.class && beat.probabilities?.[beat.class] !== undefined ? percent(beat.probabilities[beat.class]) : '\u2013'}</td>
        <td>${words(beat.quality)}</td></tr>`)}</tbody>
    </table>
    ${chosen.length > PAGE && html`<p class="actions"><button disabled=${page === 0} onClick=${() => setPage(page - 1)}>Earlier beats</button>
      <button disabled=${(page + 1) * PAGE >= chosen.length} onClick=${() => setPage(page + 1)}>Later beats</button></p>`}
  </div>`;
}
