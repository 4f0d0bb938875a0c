// A model's card: the little of Markdown that cards use, as elements. What is no mark stays text; nothing in it can run.

import { html } from '../view.js';

/** Code, bold and links within a line. @param {string} line @returns {any[]} */
function inline(line) {
  return line.split(/(`[^`]+`|\*\*[^*]+\*\*|\[[^\]]+\]\([^)\s]+\))/).map((part, index) => {
    if (index % 2 === 0) return part;
    if (part.startsWith('`')) return html`<code>${part.slice(1, -1)}</code>`;
    if (part.startsWith('**')) return html`<strong>${part.slice(2, -2)}</strong>`;
    const [, words, target] = /\[([^\]]+)\]\(([^)]+)\)/.exec(part) ?? ['', part, ''];
    return /^https?:/.test(target) ? html`<a href=${target} rel="noreferrer">${words}</a>` : words;
  });
}

/** @param {string} line */
const cells = (line) => line.trim().replace(/^\||\|$/g, '').split('|').map((cell) => cell.trim());

/** @param {{text: string}} properties */
export function Card({ text }) {
  const blocks = text.replaceAll('\r\n', '\n').split(/\n{2,}|\n(?=#)/).filter((block) => block.trim());
  return html`<div class="prose">${blocks.map((block, index) => {
    const lines = block.split('\n').filter((line) => line.trim());
    const heading = /^(#+)\s+(.*)/.exec(lines[0]);
    if (heading) return html`<div key=${index}>${heading[1].length === 1 ? html`<h3 class="first">${inline(heading[2])}</h3>` : html`<h3>${inline(heading[2])}</h3>`}${lines.length > 1 && html`<p>${inline(lines.slice(1).join(' '))}</p>`}</div>`;
    if (lines.length > 2 && /^\|[\s:|-]+\|?$/.test(lines[1].trim())) {
      return html`<div key=${index} class="scroll" tabindex="0" role="region" aria-label="Table of the card"><table><thead><tr>${cells(lines[0]).map((cell) => (cell ? html`<th scope="col">${inline(cell)}</th>` : html`<td></td>`))}</tr></thead>
        <tbody>${lines.slice(2).map((line) => html`<tr>${cells(line).map((cell) => html`<td>${inline(cell)}</td>`)}</tr>`)}</tbody></table></div>`;
    }
    if (lines.every((line) => /^(\s*[-*]\s|\s{2,})/.test(line))) {
      const items = block.split(/\n(?=\s*[-*]\s)/).map((item) => item.replace(/^\s*[-*]\s+/, '').replace(/\s*\n\s*/g, ' '));
      return html`<ul key=${index}>${items.map((item) => html`<li>${inline(item)}</li>`)}</ul>`;
    }
    if (lines[0].startsWith('```')) return html`<pre key=${index} tabindex="0">${lines.slice(1).filter((line) => !line.startsWith('```')).join('\n')}</pre>`;
    return html`<p key=${index}>${inline(lines.join(' '))}</p>`;
  })}</div>`;
}
