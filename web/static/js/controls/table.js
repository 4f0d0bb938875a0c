// A table that becomes cards where there is no room for columns.

import { html } from '../view.js';

/**
 * @template T
 * @typedef {{head: string, cell: (row: T) => any, numeric?: boolean, wide?: boolean}} Column
 */

/**
 * @template T
 * @param {{caption: string, columns: Column<T>[], rows: T[], id: (row: T) => string | number, seen?: boolean}} properties
 */
export function Table({ caption, columns, rows, id, seen = false }) {
  return html`<table class="cards">
    <caption class=${seen ? undefined : 'visually-hidden'}>${caption}</caption>
    <thead><tr>${columns.map((column) => html`<th key=${column.head} scope="col" class=${column.numeric ? 'numeric' : undefined}>${column.head}</th>`)}</tr></thead>
    <tbody>${rows.map((row) => html`<tr key=${id(row)}>${columns.map((column, index) => {
      const kind = [column.numeric && 'numeric', column.wide && 'wide'].filter(Boolean).join(' ') || undefined;
      return index === 0
        ? html`<th key=${column.head} scope="row" class=${kind}>${column.cell(row)}</th>`
        : html`<td key=${column.head} data-label=${column.head} class=${kind}>${column.cell(row)}</td>`;
    })}</tr>`)}</tbody>
  </table>`;
}
