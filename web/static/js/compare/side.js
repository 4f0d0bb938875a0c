// One place of a recording on paper, with what either version said of each beat above and below the trace.

import { html, useEffect, useState } from '../view.js';
import { Refusal, request } from '../api.js';
import { clock } from '../format.js';

/** Seconds before and after the beat. */
const AROUND_S = 2.5;
const [WIDE, TALL, ZERO, PER_MV] = [125, 42, 26, 10];
const SPEED = 25;

/** @param {import('../recordings/api.js').Signal} drawn @param {number} from */
function line(drawn, from) {
  const step = drawn.samples_per_point / drawn.sampling_rate_hz;
  const values = drawn.min_mv.flatMap((low, at) => (low === null ? [] : [(low + Number(drawn.max_mv[at])) / 2])).sort((a, b) => a - b);
  const zero = values[values.length >> 1] ?? 0;
  let [path, pen] = ['', false];
  drawn.min_mv.forEach((low, at) => {
    const high = drawn.max_mv[at];
    if (low === null || high === null) { pen = false; return; }
    const x = ((drawn.from_s + at * step - from) * SPEED).toFixed(2);
    path += `${pen ? 'L' : 'M'}${x} ${(ZERO - (high - zero) * PER_MV).toFixed(2)}`;
    if (low !== high) path += `L${x} ${(ZERO - (low - zero) * PER_MV).toFixed(2)}`;
    pen = true;
  });
  return path;
}

/**
 * @typedef {{time_s: number | null, champion: string | null, challenger: string | null, truth?: string | null}} Differing
 * @param {{signal: string, lead: string, beat: Differing, others: Differing[], champion: string, challenger: string}} properties `signal` is the trace's address
 */
export function SideBySide({ signal, lead, beat, others, champion, challenger }) {
  const [drawn, setDrawn] = useState(/** @type {import('../recordings/api.js').Signal | null} */ (null));
  const [trouble, setTrouble] = useState(/** @type {string | null} */ (null));
  const time = Number(beat.time_s);
  const from = Math.max(0, time - AROUND_S);
  useEffect(() => {
    const stop = new AbortController();
    setDrawn(null);
    setTrouble(null);
    const query = new URLSearchParams({ from: String(from), to: String(from + 2 * AROUND_S), points: '2000' });
    /** @type {Promise<import('../recordings/api.js').Signal>} */
    const asked = request(`${signal}?${query}`, { signal: stop.signal });
    asked.then(setDrawn, (cause) => {
      if (!stop.signal.aborted) setTrouble(cause instanceof Refusal ? cause.problem.detail : String(cause));
    });
    return () => stop.abort();
  }, [signal, beat.time_s]);
  if (trouble) return html`<p class="quiet">Nothing to draw: ${trouble}</p>`;
  if (!drawn) return html`<div class="skeleton" role="status" aria-label="Loading the trace"></div>`;
  const near = [beat, ...others.filter((one) => one !== beat && one.time_s !== null && one.time_s >= from && one.time_s <= from + 2 * AROUND_S)];
  const x = (/** @type {number} */ time) => (time - from) * SPEED;
  return html`<svg class="paper" viewBox=${`0 0 ${WIDE} ${TALL}`} role="img" aria-label=${`The trace around ${clock(time, 1)}: ${champion} says ${beat.champion ?? 'no beat'}, ${challenger} says ${beat.challenger ?? 'no beat'}`}>
    <rect class="ground" width=${WIDE} height=${TALL} />
    <path class="fine" d=${lines(1)} /><path class="bold" d=${lines(5)} />
    <rect class="here" x=${x(time) - 4} y="0" width="8" height=${TALL} />
    <path class="line" d=${line(drawn, from)} />
    <path class="line" d=${`M1 ${ZERO}h1v${-PER_MV}h${0.2 * SPEED}v${PER_MV}h1`} />
    ${near.map((one) => html`<g key=${one.time_s} text-anchor="middle"><text class="of-champion" x=${x(Number(one.time_s))} y="5">${one.champion ?? '\u2013'}</text><text class="of-challenger" x=${x(Number(one.time_s))} y=${TALL - 2}>${one.challenger ?? '\u2013'}</text></g>`)}
  </svg>
  <p class="caption"><span><span class="of-champion">above: champion ${champion}</span>, <span class="of-challenger">below: challenger ${challenger}</span></span><span>25\u2009mm/s, 10\u2009mm/mV, lead ${lead}</span></p>`;
}

/** @param {number} every millimetres */
function lines(every) {
  let path = '';
  for (let at = 0; at <= WIDE; at += every) path += `M${at} 0V${TALL}`;
  for (let at = ZERO % every; at <= TALL; at += every) path += `M0 ${at}H${WIDE}`;
  return path;
}
