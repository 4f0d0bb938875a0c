// The parts of a room.

import { html } from '../view.js';

/** @param {{label: string, items: {text: string, href: string, here: boolean}[]}} properties */
export const Sections = ({ label, items }) => html`<nav class="sections" aria-label=${label}><ul>
  ${items.map((item) => html`<li key=${item.href}><a href=${item.href} aria-current=${item.here ? 'page' : undefined}>${item.text}</a></li>`)}
</ul></nav>`;
