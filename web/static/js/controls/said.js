// What the server said against something, in its words. No answer at all is tried again by itself.

import { html, useEffect, useState } from '../view.js';

/** A sentence as a sentence. @param {string} text */
export const sentence = (text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.?!:]$/.test(text) ? '' : '.'}`;

/** The title of a problem as a heading. @param {string} title */
export const heading = (title) => sentence(title).replace(/\.$/, '').replace(/\becg\b/gi, 'ECG');

/** Seconds until the next attempt: 2, 4, 8, then 15. @param {number} attempt */
const wait = (attempt) => Math.min(15, 2 ** attempt);

/**
 * @param {object} properties
 * @param {{title: string, status: number, detail: string, errors?: {pointer: string, detail: string}[]}} properties.problem
 * @param {() => unknown} [properties.retry] asks again
 */
export function Said({ problem, retry }) {
  const lost = problem.status === 0 && retry !== undefined;
  const [attempt, setAttempt] = useState(1);
  const [left, setLeft] = useState(wait(1));
  const again = () => {
    setAttempt(attempt + 1);
    setLeft(wait(attempt + 1));
    retry?.();
  };
  useEffect(() => {
    if (!lost) return undefined;
    const timer = setTimeout(() => (left > 1 ? setLeft(left - 1) : again()), 1000);
    return () => clearTimeout(timer);
  }, [left, lost]);
  const further = (problem.errors ?? []).filter((error) => !problem.detail.includes(error.detail));
  return html`<section class=${lost ? 'problem lost' : 'problem'}>
    <div role="alert">
      <h2>${heading(problem.title)}</h2>
      <p>${sentence(problem.detail)}</p>
      ${further.length > 0 && html`<ul>${further.map((error) => html`<li key=${error.pointer}><span class="mono">${error.pointer}</span> ${error.detail}</li>`)}</ul>`}
    </div>
    ${lost && html`<p class="quiet">Trying again in ${left}\u2009s.</p>`}
    ${retry && html`<div class="actions"><button type="button" onClick=${again}>Try again now</button></div>`}
  </section>`;
}
