// A number with its unit, which stands back.

import { html } from '../view.js';

/** @param {{value: number | null | undefined, unit?: string, digits?: number}} properties */
export const Quantity = ({ value, unit = '', digits = 0 }) => value === null || value === undefined || Number.isNaN(value)
  ? html`<span class="number quiet">\u2013</span>`
  : html`<span class="number">${value.toFixed(digits)}${unit && html`<span class="unit">\u2009${unit}</span>`}</span>`;
