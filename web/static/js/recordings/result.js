// The result: strip, trace, tachogram, panel, table.

import { html, useCallback, useRef, useState } from '../view.js';
import { BeatTable } from './beats.js';
import { Panel, Strip } from './summary.js';
import { Tachogram } from './trace/tachogram.js';
import { Trace } from './trace/trace.js';

/** @param {{document: import('./api.js').RecordingDocument}} properties */
export function Result({ document }) {
  const [span, setSpan] = useState({ from: 0, to: 10 });
  const trace = useRef(/** @type {null | {show: (time: number) => void, span: (from: number, to: number) => void}} */ (null));
  const go = useCallback((/** @type {number} */ time) => trace.current?.show(time), []);
  return html`<article class="result">
    <h1 class="visually-hidden">Recording ${document.recording.name}</h1>
    <${Strip} document=${document} />
    <div class="room">
      <div class="drawing">
        <${Trace} document=${document} handle=${trace} moved=${setSpan} />
        <${Tachogram} document=${document} span=${span} go=${go} select=${(/** @type {number} */ from, /** @type {number} */ to) => trace.current?.span(from, to)} />
      </div>
      <${Panel} document=${document} go=${go} />
      <${BeatTable} beats=${document.beats} go=${go} />
    </div>
  </article>`;
}
