// A small line chart of what was measured lately. The value under the pointer, or at the arrow keys, is said above it.

import uPlot from '../../vendor/uplot.mjs';
import { html, useEffect, useLayoutEffect, useRef, useState } from '../view.js';
import { Quantity } from './quantity.js';

/**
 * @typedef {object} Series
 * @property {string} label
 * @property {string} colour name of a custom property, such as `--accent`
 * @property {(number | null)[]} values one for each time
 */

/** Seconds that are drawn at least, so that the first readings stand at the right. */
const LEAST = 120;

/** What is drawn of time; a chart left to itself would draw a whole day around a single reading. @param {ArrayLike<number>} times @returns {[number, number]} */
function span(times) {
  const last = times.length ? times[times.length - 1] : Date.now() / 1000;
  return [Math.min(times.length ? times[0] : last, last - LEAST), last];
}

/** @param {HTMLElement} element @param {string} name */
const read = (element, name) => getComputedStyle(element).getPropertyValue(name).trim();

/** @param {number} seconds since 1970 */
const hour = (seconds) => new Date(1000 * seconds).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });

/**
 * @param {object} properties
 * @param {string} properties.title
 * @param {string} properties.unit
 * @param {number[]} properties.times seconds since 1970
 * @param {Series[]} properties.series
 * @param {number} [properties.digits] of the value that is said
 * @param {number} [properties.height]
 */
export function Chart({ title, unit, times, series, digits = 0, height = 96 }) {
  const place = useRef(/** @type {HTMLDivElement | null} */ (null));
  const plot = useRef(/** @type {uPlot | null} */ (null));
  const [scheme, setScheme] = useState(0);
  const [at, setAt] = useState(/** @type {number | null} */ (null));
  const data = /** @type {uPlot.AlignedData} */ ([times, ...series.map((one) => one.values)]);
  const shape = series.map((one) => one.label + one.colour).join();
  useEffect(() => {
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const repaint = () => setScheme((/** @type {number} */ count) => count + 1);
    dark.addEventListener('change', repaint);
    return () => dark.removeEventListener('change', repaint);
  }, []);
  useLayoutEffect(() => {
    const element = place.current;
    if (!element) return undefined;
    const quiet = read(element, '--quiet');
    const axis = { stroke: quiet, font: '11px system-ui, sans-serif', grid: { stroke: read(element, '--line'), width: 1 }, ticks: { show: false } };
    const made = new uPlot({
      width: Math.max(120, element.clientWidth),
      height,
      legend: { show: false },
      cursor: { y: false, points: { size: 6 }, drag: { x: false, y: false } },
      padding: [8, 28, 6, 0],
      scales: { x: { range: (chart) => span(chart.data[0]) }, y: { range: (_, __, highest) => [0, highest > 0 ? 1.1 * highest : 1] } },
      axes: [
        { ...axis, size: 20, space: 90, values: (_, splits) => splits.map(hour), grid: { show: false } },
        { ...axis, size: 44, space: 28, values: (_, splits) => splits.map((value) => (value >= 1e4 ? `${value / 1000} k` : String(+value.toPrecision(3)))) },
      ],
      series: [{}, ...series.map((one) => ({ label: one.label, stroke: read(element, one.colour), width: 1.5, points: { show: false }, spanGaps: false }))],
      hooks: { setCursor: [(/** @type {uPlot} */ chart) => setAt(chart.cursor.idx ?? null)] },
    }, data, element);
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: Math.max(120, element.clientWidth), height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
    };
  }, [scheme, shape, height]);
  useLayoutEffect(() => plot.current?.setData(data), [times, scheme, shape]);
  const last = times.length - 1;
  const shown = at !== null && at <= last ? at : last;
  const pressed = (/** @type {KeyboardEvent} */ event) => {
    const step = event.key === 'ArrowLeft' ? -1 : event.key === 'ArrowRight' ? 1 : 0;
    if (!step || last < 0) return;
    event.preventDefault();
    const index = Math.min(last, Math.max(0, shown + step));
    const chart = plot.current;
    chart?.setCursor({ left: chart.valToPos(times[index], 'x'), top: 0 });
    setAt(index);
  };
  return html`<figure class="chart">
    <figcaption><span class="chart-title">${title}${series.length > 1 && unit && html`, <span class="unit">${unit}</span>`}${at !== null && shown >= 0 && html` <span class="number">${hour(times[shown])}</span>`}</span>
      <span class="chart-values">${series.map((one) => html`<span key=${one.label} class="chart-value">
        ${series.length > 1 && html`<span class=${`chart-key key${one.colour}`} aria-hidden="true"></span><span class="quiet">${one.label}</span>`}
        <${Quantity} value=${one.values[shown]} unit=${series.length > 1 ? '' : unit} digits=${digits} /></span>`)}</span></figcaption>
    <div ref=${place} class="chart-place" role="img" tabindex="0" onKeyDown=${pressed} onBlur=${() => setAt(null)}
      aria-label=${`${title}, ${unit || 'count'}: ${series.map((one) => `${one.label} ${one.values[last]?.toFixed(digits) ?? 'not known'}`).join(', ')} now`}></div>
    ${last < 0 && html`<p class="chart-none">First figures in a moment</p>`}
  </figure>`;
}
