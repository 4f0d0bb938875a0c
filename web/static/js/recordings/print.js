// One page of A4 at true scale: what the trace shows, with what made it. Lengths in millimetres.

import { html, useEffect, useState } from '../view.js';
import { Refusal } from '../api.js';
import { CLASS_NAMES, clock, duration, figure, percent } from '../format.js';
import * as api from './api.js';
import { firstAfter } from './trace/calipers.js';
import { PULSE_MM } from './trace/layout.js';
import { SPEEDS } from './trace/toolbar.js';

/** The trace's part of a page of A4 across, and its height. */
const WIDE_MM = 250;
const TALL_MM = 160;
/** Points of the signal for each millimetre of paper. */
const FINE = 8;
/** Rows of a rhythm strip on a page. */
const STRIPS = 4;
/** How far a wave may reach into the rows above and below. */
const OVER_MM = 6;

/**
 * @typedef {{signal: api.Signal, lead: string, from: number, to: number, left: number, top: number, wide: number, tall: number, zero: number, offset: number, marked: boolean, first: boolean, ruled: boolean}} Row
 * @typedef {{document: api.RecordingDocument, beats: api.Beat[], rows: Row[], speed: number, gain: number, at: string}} Printed
 */

/** Where each lead stands on the page. @param {import('./trace/trace.js').Handle} trace @param {number} length seconds of the recording */
function placed(trace, length) {
  const { lead, speed: seen, gain, from, layout } = trace.seen();
  const speed = SPEEDS.includes(seen) ? seen : 25;
  const across = WIDE_MM / speed;
  const strip = layout.panels.length === 1;
  const panels = strip ? Array.from({ length: STRIPS }, (_, row) => ({ lead, row, column: 0, span: 1, marked: true, from: from + row * across })) : layout.panels.map((panel) => ({ ...panel, from: from + (panel.column * across) / layout.columns }));
  const tall = TALL_MM / (strip ? STRIPS : layout.rows);
  const rows = panels.filter((panel) => panel.from < length).map((panel) => {
    const wide = strip ? WIDE_MM : (WIDE_MM / layout.columns) * panel.span;
    return {
      lead: panel.lead, from: panel.from, to: Math.min(length, panel.from + wide / speed), left: PULSE_MM + (strip ? 0 : (panel.column * WIDE_MM) / layout.columns), top: panel.row * tall,
      wide, tall, zero: panel.row * tall + tall * 0.58, marked: panel.marked, first: panel.column === 0, ruled: strip || panel.row === layout.rows - 1,
    };
  });
  return { rows, speed, gain };
}

/** The middle value of what is drawn. @param {api.Signal} signal */
function middle(signal) {
  const values = signal.min_mv.flatMap((low, at) => (low === null ? [] : [(low + Number(signal.max_mv[at])) / 2])).sort((a, b) => a - b);
  return values.length ? Math.round(values[values.length >> 1] * 10) / 10 : 0;
}

/**
 * A page to print, and what makes it and opens the browser's dialogue.
 * @param {api.RecordingDocument} document @param {api.Beat[]} beats @param {{current: import('./trace/trace.js').Handle | null}} trace
 * @returns {[Printed | null, () => Promise<void>, string | null]} the last says why there is none
 */
export function usePrint(document, beats, trace) {
  const [sheet, setSheet] = useState(/** @type {Printed | null} */ (null));
  const [trouble, setTrouble] = useState(/** @type {string | null} */ (null));
  useEffect(() => { if (sheet) globalThis.print(); }, [sheet]);
  const print = async () => {
    if (!trace.current) return;
    const { rows, speed, gain } = placed(trace.current, document.recording.duration_s);
    setTrouble(null);
    try {
      const drawn = await Promise.all(rows.map(async (row) => {
        const signal = await api.signal(document.id, row.lead, row.from, row.to, Math.ceil(row.wide * FINE));
        return { ...row, signal, offset: middle(signal) };
      }));
      setSheet({ document, beats, rows: drawn, speed, gain, at: new Date().toISOString().slice(0, 16).replace('T', ' ') });
    } catch (cause) {
      setTrouble(cause instanceof Refusal ? cause.problem.detail : String(cause));
    }
  };
  return [sheet, print, trouble];
}

/** Every line of boxes of so many millimetres. @param {number} wide @param {number} tall @param {number} every */
function lines(wide, tall, every) {
  let path = '';
  for (let x = 0; x <= wide + 0.01; x += every) path += `M${x} 0V${tall}`;
  for (let y = 0; y <= tall + 0.01; y += every) path += `M0 ${y}H${wide}`;
  return path;
}

/** The line of a signal. @param {Row} row @param {number} speed @param {number} gain */
function line({ signal, from, left, zero, offset }, speed, gain) {
  const step = signal.samples_per_point / signal.sampling_rate_hz;
  let [path, pen] = ['', false];
  signal.min_mv.forEach((low, at) => {
    const high = signal.max_mv[at];
    if (low === null || high === null) { pen = false; return; }
    const x = (left + (signal.from_s + at * step - from) * speed).toFixed(2);
    path += `${pen ? 'L' : 'M'}${x} ${(zero - (high - offset) * gain).toFixed(2)}`;
    if (low !== high) path += `L${x} ${(zero - (low - offset) * gain).toFixed(2)}`;
    pen = true;
  });
  return path;
}

/** @param {Printed} properties */
export function Sheet({ document, beats, rows, speed, gain, at }) {
  const { summary, model, recording, notice } = document;
  const wide = PULSE_MM + WIDE_MM;
  const tall = Math.max(...rows.map((row) => row.top + row.tall));
  const near = (/** @type {Row} */ row) => beats.slice(firstAfter(beats, row.from), firstAfter(beats, row.to));
  const figures = [
    ['Mean rate', `${figure(summary.rate.mean_bpm, '/min')}`], ['Beats', `${summary.beats} in ${duration(summary.duration_s)}`],
    ...(/** @type {const} */ (['V', 'S'])).map((name) => [`${name} burden`, `${percent(summary.burden[name]?.share)}${summary.burden[name]?.low != null ? `, ${percent(summary.burden[name]?.low)} to ${percent(summary.burden[name]?.high)}` : ''}`]),
    ['Unreadable', duration(summary.unreadable_s)],
  ];
  return html`<section class="sheet" aria-label="Page to print">
    <header><div><h2>${recording.name}</h2><p>${rows.length > 1 && new Set(rows.map((row) => row.lead)).size > 1 ? 'All leads' : `Lead ${rows[0].lead}`}, from ${clock(rows[0].from, 1)}, ${figure(speed, 'mm/s', speed % 1 ? 1 : 0)}, ${figure(gain, 'mm/mV')}</p></div>
      <dl>${figures.map(([label, value]) => html`<div key=${label}><dt>${label}</dt><dd>${value}</dd></div>`)}</dl></header>
    <svg width=${`${wide}mm`} height=${`${tall}mm`} viewBox=${`0 0 ${wide} ${tall}`} role="img" aria-label="ECG at true scale">
      <defs>
        <pattern id="hatch" width="2" height="2" patternUnits="userSpaceOnUse"><path class="hatch" d="M0 2L2 0" /></pattern>
        ${rows.map((row, index) => html`<clipPath key=${index} id=${`row-${index}`}><rect x=${row.left} y=${Math.max(0, row.top - OVER_MM)} width=${row.wide} height=${row.tall + 2 * OVER_MM} /></clipPath>`)}
      </defs>
      <path class="fine" d=${lines(wide, tall, 1)} /><path class="bold" d=${lines(wide, tall, 5)} />
      ${rows.map((row, index) => html`<g key=${index} clip-path=${`url(#row-${index})`}>
        ${document.unreadable.filter((span) => span.end_s > row.from && span.start_s < row.to).map((span) => html`<rect key=${span.start_s} fill="url(#hatch)" x=${row.left + (Math.max(span.start_s, row.from) - row.from) * speed} y=${row.top}
          width=${(Math.min(span.end_s, row.to) - Math.max(span.start_s, row.from)) * speed} height=${row.tall} />`)}
        <path class="line" d=${line(row, speed, gain)} />
        ${row.marked && near(row).map((beat) => html`<text key=${beat.sample} class=${beat.class && beat.class !== 'N' ? 'letter odd' : 'letter'} x=${row.left + (beat.time_s - row.from) * speed} y=${row.top + 4}>${beat.class ?? '\u00b7'}</text>`)}
        ${(index === 0 || rows[index - 1].lead !== row.lead) && html`<text class="lead" x=${row.left + 1} y=${row.top + 7.5}>${row.lead}</text>`}
        ${row.ruled && html`<text class="time" x=${row.left + 1} y=${row.top + row.tall - 1}>${clock(row.from, 1)}</text>`}
      </g>`)}
      ${rows.filter((row) => row.first).map((row) => html`<path key=${row.top} class="line pulse" d=${`M1 ${row.zero}h1v${-gain}h${0.2 * speed}v${gain}h1`} />`)}
    </svg>
    <footer><strong>${notice}</strong> Letters: ${Object.entries(CLASS_NAMES).map(([letter, name]) => `${letter} ${name}`).join(', ')}. Model ${model.name} ${model.version}, ${model.digest}, recipe ${model.recipe}, engine ${model.engine}. Printed ${at} UTC.</footer>
  </section>`;
}
