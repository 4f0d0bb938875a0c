// A forest plot: one row for each figure, the difference as a point, its interval as a line, zero and what matters marked.

import { html } from '../view.js';
import { points, pointsInterval } from './words.js';

/**
 * @typedef {{name: string, difference: number | null | undefined, interval: {low: number, high: number} | null | undefined, deciding?: boolean}} Row
 */

/** Sizes in units of the drawing: with names and values beside the plot, or above it where there is no room. */
const WIDE = { names: 200, plot: 420, values: 180, row: 30, at: 15, text: 4 };
const NARROW = { names: 20, plot: 280, values: 20, row: 48, at: 32, text: -16 };

/** Round values between which everything lies, and how far ticks are apart. @param {Row[]} rows @param {number} worth */
export function scale(rows, worth) {
  const ends = rows.flatMap((row) => [row.difference ?? 0, row.interval?.low ?? 0, row.interval?.high ?? 0].map(Math.abs));
  const most = Math.min(1, Math.max(2 * worth, 0.01, ...ends) * 1.05);
  const step = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5].find((one) => most / one <= 4) ?? 0.5;
  return { most, step };
}

/** @param {{rows: Row[], worth: number, label: string}} properties `worth` is the smallest difference that matters */
export function Forest({ rows, worth, label }) {
  return html`<figure class="forest"><${Plot} rows=${rows} worth=${worth} label=${label} sizes=${WIDE} name="wide" /><${Plot} rows=${rows} worth=${worth} label=${label} sizes=${NARROW} name="narrow" />
    <figcaption class="quiet small">Points: challenger less champion, with intervals. Grey: less than matters (\u00b1${(100 * worth).toFixed(1)}).</figcaption></figure>`;
}

/** One of the two is shown, by the room there is. @param {{rows: Row[], worth: number, label: string, sizes: typeof WIDE, name: string}} properties */
function Plot({ rows, worth, label, sizes, name }) {
  const { most, step } = scale(rows, worth);
  const wide = sizes.names + sizes.plot + sizes.values;
  const x = (/** @type {number} */ value) => sizes.names + ((Math.min(most, Math.max(-most, value)) + most) / (2 * most)) * sizes.plot;
  const tall = rows.length * sizes.row;
  const ticks = Array.from({ length: 2 * Math.floor(most / step) + 1 }, (_, at) => (at - Math.floor(most / step)) * step);
  return html`<svg class=${name} viewBox=${`0 0 ${wide} ${tall + 44}`} role="img" aria-label=${`${label}. ${rows.map((row) => `${row.name}: ${points(row.difference)} points, ${pointsInterval(row.interval)}`).join('. ')}`}>
    <rect class="worth" x=${x(-worth)} y="20" width=${x(worth) - x(-worth)} height=${tall} />
    <text class="side" x=${x(-most / 2)} y="12" text-anchor="middle">champion better</text><text class="side" x=${x(most / 2)} y="12" text-anchor="middle">challenger better</text>
    ${ticks.map((tick) => html`<g key=${tick}><line class=${Math.abs(tick) < 1e-9 ? 'zero' : 'tick'} x1=${x(tick)} x2=${x(tick)} y1="20" y2=${tall + 20} /><text class="side" x=${x(tick)} y=${tall + 36} text-anchor="middle">${points(tick, step < 0.01 ? 1 : 0)}</text></g>`)}
    ${rows.map((row, at) => {
      const y = 20 + at * sizes.row + sizes.at;
      return html`<g key=${row.name} class=${row.deciding ? 'deciding' : ''}>
        <text x="0" y=${y + sizes.text}>${row.name}</text>
        ${row.interval && html`<path class="interval" d=${`M${x(row.interval.low)} ${y}H${x(row.interval.high)}M${x(row.interval.low)} ${y - 4}v8M${x(row.interval.high)} ${y - 4}v8`} />`}
        ${row.difference !== null && row.difference !== undefined && html`<rect class="point" x=${x(row.difference) - 4} y=${y - 4} width="8" height="8" />`}
        <text x=${wide} y=${y + sizes.text} text-anchor="end">${points(row.difference)}<tspan class="side" dx="6">${pointsInterval(row.interval)}</tspan></text></g>`;
    })}
  </svg>`;
}
