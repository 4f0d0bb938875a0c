// How often both say the same: rows what the champion said, columns what the challenger said.

import { html } from '../view.js';
import { count as grouped, percent } from '../format.js';

const NAMES = ['N', 'S', 'V', 'F', 'Q', 'none'];

/** @param {{table: number[][], champion: string, challenger: string}} properties */
export function Matrix({ table, champion, challenger }) {
  const used = NAMES.map((_, at) => at).filter((at) => table[at].some((count) => count > 0) || table.some((row) => row[at] > 0));
  const most = Math.max(1, ...used.flatMap((row) => used.filter((column) => column !== row).map((column) => table[row][column])));
  return html`<div class="scrolled" tabindex="0" role="group" aria-label="Agreement"><table class="matrix">
    <caption>Rows: champion ${champion}. Columns: challenger ${challenger}. Beats.</caption>
    <thead><tr><td></td>${used.map((column) => html`<th key=${column} scope="col">${NAMES[column]}</th>`)}<th scope="col" class="sum">all</th></tr></thead>
    <tbody>${used.map((row) => {
      const sum = table[row].reduce((all, count) => all + count, 0);
      return html`<tr key=${row}><th scope="row">${NAMES[row]}</th>${used.map((column) => {
        const count = table[row][column];
        const depth = row === column || !count ? 0 : Math.ceil((4 * Math.log1p(count)) / Math.log1p(most));
        return html`<td key=${column} class=${row === column ? 'same' : `apart-${depth}`} title=${`${grouped(count)} of ${grouped(sum)}, ${percent(sum ? count / sum : null)}`}>${grouped(count)}</td>`;
      })}<td class="sum">${grouped(sum)}</td></tr>`;
    })}</tbody></table></div>`;
}
