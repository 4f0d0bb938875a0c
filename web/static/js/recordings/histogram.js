// How often each heart rate occurs, and hour by hour.

import { html, useState } from '../view.js';
import { clock, duration, figure, percent } from '../format.js';
import { BIN, histogram, intervals } from './rhythm.js';

const WIDTH = 560;
const HEIGHT = 120;

/** @param {{beats: import('./api.js').Beat[], unreadable: import('./api.js').Span[]}} properties */
export function RateHistogram({ beats, unreadable }) {
  const bins = histogram(intervals(beats, unreadable));
  const [at, setAt] = useState(-1);
  const all = bins.reduce((sum, bin) => sum + bin.count, 0);
  const most = Math.max(1, ...bins.map((bin) => bin.count));
  const wide = WIDTH / Math.max(12, bins.length);
  const shown = bins[at];
  const said = shown && `${shown.from} to ${shown.to}\u2009/min: ${shown.count} intervals, ${percent(shown.count / all)}`;
  const pressed = (/** @type {KeyboardEvent} */ event) => {
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: bins.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    setAt(Math.min(bins.length - 1, Math.max(0, to)));
  };
  if (!bins.length) return html`<section class="curve" aria-label="Heart rate"><h2>Heart rate</h2><p class="quiet">There are no two readable beats in a row.</p></section>`;
  return html`<section class="curve" aria-label="Heart rate">
    <h2>Heart rate <span class="quiet">beat to beat, in bins of ${BIN}\u2009/min</span></h2>
    <svg class="histogram" viewBox=${`0 0 ${WIDTH} ${HEIGHT + 30}`} tabindex="0" role="img" aria-label=${`Histogram of the heart rate. Arrow keys go through the bins. ${said ?? ''}`} onKeyDown=${pressed} onPointerLeave=${() => setAt(-1)}>
      <line x1="0" x2=${WIDTH} y1=${HEIGHT} y2=${HEIGHT} class="axis" />
      ${bins.map((bin, index) => {
        const tall = bin.count ? Math.max(1, (bin.count / most) * (HEIGHT - 4)) : 0;
        return html`<g key=${bin.from} onPointerEnter=${() => setAt(index)}>
          <rect class="hit" x=${index * wide} y="0" width=${wide} height=${HEIGHT} />
          <rect class=${index === at ? 'bar here' : 'bar'} x=${index * wide + 1} y=${HEIGHT - tall} width=${Math.max(1, wide - 2)} height=${tall} />
          ${(bin.from % 20 === 0 || bins.length < 10) && html`<text x=${index * wide} text-anchor=${index * wide > WIDTH - 60 ? 'end' : 'start'} y=${HEIGHT + 6}>${bin.from}</text>`}</g>`;
      })}
    </svg>
    <p class="caption" role="status">${said ?? `${all} intervals between readable beats`}</p>
    <details><summary>As a table</summary><table><thead><tr><th scope="col">Rate, /min</th><th scope="col" class="number">Intervals</th><th scope="col" class="number">Share</th></tr></thead>
      <tbody>${bins.map((bin) => html`<tr key=${bin.from}><td>${bin.from} to ${bin.to}</td><td class="number">${bin.count}</td><td class="number">${percent(bin.count / all)}</td></tr>`)}</tbody></table></details>
  </section>`;
}

/** @param {{hours: {hour: number, mean_bpm: number | null, V: number, S: number, unreadable_s: number}[], go: (time: number) => void}} properties */
export function Hours({ hours, go }) {
  return html`<table class="hours"><caption>Hour by hour, from the beginning of the recording</caption>
    <thead><tr><th scope="col">From</th><th scope="col" class="number">Mean rate, /min</th><th scope="col" class="number">V</th><th scope="col" class="number">S</th><th scope="col" class="number">Unreadable</th></tr></thead>
    <tbody>${hours.map((hour, index) => html`<tr key=${hour.hour}><td><button class="link" onClick=${() => go(3600 * index)}>${clock(3600 * index)}</button></td><td class="number">${figure(hour.mean_bpm, '')}</td>
      <td class="number">${hour.V}</td><td class="number">${hour.S}</td><td class="number">${hour.unreadable_s ? duration(hour.unreadable_s) : '0'}</td></tr>`)}</tbody></table>`;
}
