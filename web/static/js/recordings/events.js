// Runs, pauses, couplets and the like, those that a reader looks at first on top.

import { html, useState } from '../view.js';
import { CLASS_NAMES, clock, duration, figure, words } from '../format.js';

/**
 * @typedef {import('./api.js').Beat} Beat
 * @typedef {{time: number, level: 0 | 1 | 2, kind: string, text: string, size: number}} Happening `level` 0 is looked at first; `size` orders within a level
 */

/** The order of reading, in words: it is no diagnosis. */
const LEVELS = [['first', 'look first'], ['then', 'look next'], ['rest', 'the rest']];
/** Pauses from here on are looked at first, in seconds. */
const LONG_PAUSE_S = 3;
const MOST = 200;

/** Two ectopic beats of one class between others. @param {Beat[]} beats @returns {Happening[]} */
function couplets(beats) {
  /** @type {Happening[]} */
  const list = [];
  for (let at = 0; at < beats.length; ) {
    let end = at + 1;
    while (end < beats.length && beats[end].class === beats[at].class) end += 1;
    const name = beats[at].class;
    if ((name === 'V' || name === 'S') && end - at === 2) {
      const apart = 1000 * (beats[at + 1].time_s - beats[at].time_s);
      list.push({ time: beats[at].time_s, level: name === 'V' ? 1 : 2, kind: `${CLASS_NAMES[name]} couplet`, text: figure(apart, 'ms apart'), size: 1 / apart });
    }
    at = end;
  }
  return list;
}

/** All that happened, the most severe first, the longest first within each level. @param {Pick<import('openapi').RhythmSummary, 'runs' | 'pauses' | 'bigeminy' | 'trigeminy'>} summary @param {Beat[]} beats @param {import('./api.js').Span[]} [unreadable] @returns {Happening[]} */
export function happenings(summary, beats, unreadable = []) {
  const list = couplets(beats);
  for (const name of /** @type {const} */ (['V', 'S'])) {
    for (const run of summary.runs[name]) {
      const kind = run.tachycardia ? 'ventricular tachycardia' : `run of ${CLASS_NAMES[name]} beats`;
      list.push({ time: run.start_s, level: run.tachycardia ? 0 : 1, kind, text: `${run.beats} beats at ${figure(run.rate_bpm, '/min')}`, size: run.beats });
    }
  }
  for (const pause of summary.pauses) {
    list.push({ time: pause.start_s, level: pause.duration_s >= LONG_PAUSE_S ? 0 : 1, kind: 'pause', text: figure(pause.duration_s, 's', 2), size: pause.duration_s });
  }
  for (const kind of /** @type {const} */ (['bigeminy', 'trigeminy'])) {
    for (const episode of summary[kind]) list.push({ time: episode.start_s, level: 2, kind, text: `${episode.beats} beats`, size: episode.beats });
  }
  for (const { start_s: start, end_s: end, reasons } of unreadable) {
    list.push({ time: start, level: 2, kind: 'unreadable', text: `${duration(end - start)}, ${reasons.map(words).join(', ')}`, size: end - start });
  }
  return list.sort((a, b) => a.level - b.level || b.size - a.size || a.time - b.time);
}

/** @param {{list: Happening[], go: (time: number) => void}} properties */
export function Events({ list, go }) {
  const [kind, setKind] = useState('all');
  const kinds = [...new Set(list.map((one) => one.kind))];
  const chosen = kind === 'all' ? list : list.filter((one) => one.kind === kind);
  if (!list.length) return html`<p class="quiet">No runs, couplets, pauses, bigeminy or trigeminy, and nothing that cannot be read.</p>`;
  return html`<label class="filter">Show <select value=${kind} onChange=${(/** @type {import('../view.js').FieldEvent} */ event) => setKind(event.target.value)}>
      <option value="all">all ${list.length} events</option>
      ${kinds.map((one) => html`<option value=${one}>${one} (${list.filter((other) => other.kind === one).length})</option>`)}
    </select></label>
    <ul class="events" aria-label="Events">${chosen.slice(0, MOST).map((one) => html`<li key=${one.time + one.kind}><button onClick=${() => go(one.time)}>
      <span class=${`level level-${LEVELS[one.level][0]}`}>${LEVELS[one.level][1]}</span><span class="what">${one.kind}<span class="quiet"> ${one.text}</span></span><span class="time">${clock(one.time)}</span></button></li>`)}</ul>
    ${chosen.length > MOST && html`<p class="quiet small">${MOST} of ${chosen.length} are listed; choose a kind to see its own.</p>`}`;
}
