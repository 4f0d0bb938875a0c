// What something is in, as a word with a sign of its own: colour alone says nothing.

import { html } from '../view.js';

/** @typedef {'good' | 'warn' | 'bad' | 'live' | 'busy' | 'past' | 'plain'} Tone */

const SIGNS = /** @type {Record<Tone, string>} */ ({ good: '\u2713', warn: '!', bad: '\u00d7', live: '\u25cf', busy: '\u25d0', past: '\u25cb', plain: '\u00b7' });

/** @param {{tone: Tone, children: any}} properties */
export const State = ({ tone, children }) => html`<span class=${`state state-${tone}`}><span class="state-sign" aria-hidden="true">${SIGNS[tone]}</span>${children}</span>`;
