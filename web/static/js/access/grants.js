// Grants as people read them.

import { html } from '../view.js';
import { inWords } from './scopes.js';

/** @param {{of: string[]}} properties */
export const Grants = ({ of }) => html`<ul class="grants">${of.map((grant) => {
  const { scope, models } = inWords(grant);
  return html`<li key=${grant} class="tag"><span class="mono">${scope}</span>${models && html` <span class="quiet">for</span> ${models.join(', ')}`}</li>`;
})}</ul>`;
