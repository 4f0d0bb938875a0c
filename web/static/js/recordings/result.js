// The result: strip, trace, selected beat, tachogram and what follows from the beats.

import { html, useCallback, useMemo, useRef, useState } from '../view.js';
import { BeatTable } from './beats.js';
import { Downloads } from './downloads.js';
import { Events, happenings } from './events.js';
import { Hours, RateHistogram } from './histogram.js';
import { Inspector } from './inspector.js';
import { CLASSES, useLabels } from './labels.js';
import { Sheet, usePrint } from './print.js';
import { About, Figures, Strip } from './summary.js';
import { Tabs } from './tabs.js';
import { Templates } from './templates.js';
import { Tachogram } from './trace/tachogram.js';
import { Trace } from './trace/trace.js';

/** @param {{document: import('./api.js').RecordingDocument}} properties */
export function Result({ document }) {
  /** Where the trace is: told to the tachogram alone, or every step of it would draw the whole result anew. */
  const spanned = useRef((/** @type {{from: number, to: number}} */ _) => {});
  const moved = useCallback((/** @type {{from: number, to: number}} */ span) => spanned.current(span), []);
  const [selected, select] = useState(/** @type {number | null} */ (null));
  const trace = useRef(/** @type {import('./trace/trace.js').Handle | null} */ (null));
  const labels = useLabels(document);
  const { beats } = labels;
  const at = useMemo(() => (selected === null ? -1 : beats.findIndex((beat) => beat.sample === selected)), [selected, beats]);
  const list = useMemo(() => happenings(document.summary, document.beats, document.unreadable), [document]);
  const show = useCallback((/** @type {number} */ time) => trace.current?.show(time), []);
  const look = useCallback((/** @type {number} */ time) => {
    const beat = document.beats.find((one) => Math.abs(one.time_s - time) < 0.001);
    if (beat) select(beat.sample);
    trace.current?.show(time);
  }, [document]);
  const [sheet, print, unprinted] = usePrint(document, beats, trace);
  const typed = (/** @type {KeyboardEvent} */ event) => {
    const key = event.key.toUpperCase();
    if ((key === 'Z' && (event.ctrlKey || event.metaKey)) || (key === 'U' && !event.ctrlKey && !event.metaKey)) {
      labels.undo?.();
      return labels.undo !== null;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || !CLASSES.includes(key) || at < 0 || !labels.say) return false;
    labels.say([beats[at].sample], key);
    return true;
  };
  const hours = document.summary.rate.hours;
  const tabs = [
    { id: 'figures', title: 'Figures', body: () => html`<${Figures} document=${document} />` },
    { id: 'events', title: 'Events', note: String(list.length), body: () => html`<${Events} list=${list} go=${look} />` },
    { id: 'templates', title: 'Templates', body: () => html`<${Templates} document=${document} beats=${beats} go=${look} relabel=${labels.say} />` },
    { id: 'beats', title: 'Beats', note: String(beats.length), body: () => html`<${BeatTable} beats=${beats} go=${look} />` },
    ...(hours.length > 1 ? [{ id: 'hours', title: 'Hours', body: () => html`<${Hours} hours=${hours} go=${show} />` }] : []),
    { id: 'about', title: 'About', body: () => html`<${About} document=${document} />` },
  ];
  return html`<article class="result">
    <div class="heading"><h1>${document.recording.name}</h1>
      ${labels.given > 0 && html`<span class="quiet">${labels.given} ${labels.given === 1 ? 'beat' : 'beats'} relabelled; figures are the model's</span>`}
      <${Downloads} document=${document} beats=${beats} print=${print} /></div>
    <${Strip} document=${document} />
    <${Trace} ...${{ document, beats, selected, select, typed }} handle=${trace} moved=${moved} />
    <${Inspector} beats=${beats} unreadable=${document.unreadable} at=${at} labels=${labels} />
    <div class="below">
      <div class="curves">
        <${Tachogram} document=${document} beats=${beats} spanned=${spanned} go=${show} select=${(/** @type {number} */ from, /** @type {number} */ to) => trace.current?.span(from, to)} />
        <${RateHistogram} beats=${document.beats} unreadable=${document.unreadable} />
      </div>
      <${Tabs} name="What was found" tabs=${tabs} />
    </div>
    ${unprinted && html`<p class="trouble" role="alert">Nothing was printed: ${unprinted}</p>`}
    ${sheet && html`<${Sheet} ...${sheet} />`}
  </article>`;
}
