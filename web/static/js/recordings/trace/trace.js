// The trace on ECG paper: pan, zoom, speed and gain, by mouse, touch and keyboard.

import { html, useEffect, useLayoutEffect, useRef, useState } from '../../view.js';
import { clock, figure } from '../../format.js';
import * as paper from './paper.js';
import { Tiles } from './tiles.js';

const SPEEDS = [12.5, 25, 50];
const GAINS = [5, 10, 20];
/** Room for the calibration pulse at 50 mm/s, in pixels. */
const LEFT = Math.round(12.5 * paper.MILLIMETRE);

/** @param {import('../api.js').Beat[]} beats @param {number} time */
function firstAfter(beats, time) {
  let low = 0;
  let high = beats.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (beats[middle].time_s < time) low = middle + 1; else high = middle;
  }
  return low;
}

/** The valid points of a tile, halfway between low and high, in order. @param {import('../api.js').Signal} tile */
function middles(tile) {
  /** @type {number[]} */
  const values = [];
  tile.min_mv.forEach((low, i) => low !== null && values.push((low + Number(tile.max_mv[i])) / 2));
  return values.sort((a, b) => a - b);
}

/**
 * @param {{document: import('../api.js').RecordingDocument, handle: any, moved: (span: {from: number, to: number}) => void}} properties
 */
export function Trace({ document, handle, moved }) {
  const { recording, beats, unreadable } = document;
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const [lead, setLead] = useState(document.lead);
  /** Millimetres a second; anything, the three standard ones have grid. */
  const [speed, setSpeed] = useState(25);
  const [gain, setGain] = useState(10);
  const [from, setFrom] = useState(0);
  const [width, setWidth] = useState(800);
  const [drawn, redraw] = useState(0);
  const [trouble, setTrouble] = useState(/** @type {string | null} */ (null));
  const tiles = useRef(/** @type {Tiles | null} */ (null));
  const offset = useRef(0);

  const pixelsPerSecond = speed * paper.MILLIMETRE;
  const visible = Math.max(0.1, (width - LEFT) / pixelsPerSecond);
  const last = Math.max(0, recording.duration_s - visible);
  const slowest = Math.min(12.5, (width - LEFT) / recording.duration_s / paper.MILLIMETRE);
  const move = (/** @type {number} */ time) => setFrom(Math.min(last, Math.max(0, time)));
  const zoom = (/** @type {number} */ to, /** @type {number} */ share = 0.5) => {
    const next = Math.min(100, Math.max(slowest, to));
    const shown = (width - LEFT) / (next * paper.MILLIMETRE);
    const middle = from + visible * share;
    setSpeed(next);
    setFrom(Math.min(Math.max(0, recording.duration_s - shown), Math.max(0, middle - shown * share)));
  };
  handle.current = {
    show: (/** @type {number} */ time) => {
      // An event is looked at closely.
      const next = speed < 12.5 ? 25 : speed;
      const shown = (width - LEFT) / (next * paper.MILLIMETRE);
      setSpeed(next);
      setFrom(Math.min(Math.max(0, recording.duration_s - shown), Math.max(0, time - shown * 0.3)));
      canvas.current?.scrollIntoView({ block: 'nearest' });
    },
    span: (/** @type {number} */ start, /** @type {number} */ end) => {
      const next = Math.min(50, Math.max(slowest, (width - LEFT) / (end - start) / paper.MILLIMETRE));
      setSpeed(next);
      setFrom(Math.max(0, start));
    },
  };

  useEffect(() => {
    tiles.current = new Tiles(document.id, lead, recording.sampling_rate_hz, recording.duration_s, () => redraw((/** @type {number} */ n) => n + 1), setTrouble);
    offset.current = NaN;
    redraw((/** @type {number} */ n) => n + 1);
  }, [lead]);
  useLayoutEffect(() => {
    const element = canvas.current;
    if (!element) return undefined;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    const repaint = () => redraw((/** @type {number} */ n) => n + 1);
    scheme.addEventListener('change', repaint);
    return () => { observer.disconnect(); scheme.removeEventListener('change', repaint); };
  }, []);
  useEffect(() => moved({ from, to: Math.min(recording.duration_s, from + visible) }), [from, visible]);

  useLayoutEffect(() => {
    const element = canvas.current;
    const context = element?.getContext('2d');
    if (!element || !context) return;
    const ratio = devicePixelRatio || 1;
    const height = element.clientHeight;
    element.width = Math.round(width * ratio);
    element.height = Math.round(height * ratio);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const colour = paper.colours(element);
    const view = { from, pixelsPerSecond, pixelsPerMillivolt: gain * paper.MILLIMETRE, width, height, gridded: SPEEDS.includes(speed), left: LEFT };
    const found = tiles.current?.between(from, from + visible, pixelsPerSecond) ?? [];
    // The electrode's own voltage is not the heart's: the first look at a lead finds its middle.
    if (Number.isNaN(offset.current) && found.length) {
      const values = middles(found[0]);
      if (values.length) offset.current = Math.round(values[values.length >> 1] * 10) / 10;
    }
    paper.grid(context, view, colour);
    const near = beats.slice(firstAfter(beats, from), firstAfter(beats, from + visible));
    paper.unreadable(context, view, unreadable, colour);
    paper.trace(context, view, found, Number.isNaN(offset.current) ? 0 : offset.current, colour);
    paper.marks(context, view, near, colour);
    paper.pulse(context, view, colour);
    paper.ruler(context, view, (seconds) => clock(seconds), colour);
  }, [from, speed, gain, width, drawn, lead]);

  const drag = useRef(/** @type {null | {x: number, from: number}} */ (null));
  const pressed = (/** @type {KeyboardEvent} */ event) => {
    const steps = /** @type {Record<string, () => void>} */ ({
      ArrowLeft: () => move(from - visible / 10), ArrowRight: () => move(from + visible / 10), PageUp: () => move(from - visible * 0.9),
      PageDown: () => move(from + visible * 0.9), Home: () => move(0), End: () => move(last), '+': () => zoom(speed * 1.5), '=': () => zoom(speed * 1.5), '-': () => zoom(speed / 1.5),
    });
    if (steps[event.key] && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      steps[event.key]();
    }
  };
  const wheel = (/** @type {WheelEvent} */ event) => {
    if (event.ctrlKey) {
      event.preventDefault();
      zoom(speed * (event.deltaY < 0 ? 1.25 : 0.8), Math.max(0, (event.offsetX - LEFT) / (width - LEFT)));
    } else if (Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey) {
      event.preventDefault();
      move(from + (event.deltaX || event.deltaY) / pixelsPerSecond);
    }
  };
  const near = beats.slice(firstAfter(beats, from), firstAfter(beats, from + visible));
  const said = `${clock(from)} to ${clock(Math.min(recording.duration_s, from + visible))} of ${clock(recording.duration_s)}, ${near.length} beats, ${near.filter((beat) => beat.class && beat.class !== 'N').length} ectopic`;
  const standard = SPEEDS.includes(speed);
  return html`<section class="trace" aria-label="Trace">
    <div class="tools">
      <label>Lead <select value=${lead} onChange=${(/** @type {any} */ event) => setLead(event.target.value)}>
        ${recording.leads.map((/** @type {any} */ one) => html`<option value=${one.name}>${one.name}</option>`)}</select></label>
      <label>Speed <select value=${standard ? String(speed) : 'free'} onChange=${(/** @type {any} */ event) => zoom(Number(event.target.value))}>
        ${SPEEDS.map((one) => html`<option value=${String(one)}>${figure(one, 'mm/s', one % 1 ? 1 : 0)}</option>`)}
        ${!standard && html`<option value="free">${figure(speed, 'mm/s', speed < 10 ? 2 : 1)}</option>`}</select></label>
      <label>Gain <select value=${String(gain)} onChange=${(/** @type {any} */ event) => setGain(Number(event.target.value))}>
        ${GAINS.map((one) => html`<option value=${String(one)}>${figure(one, 'mm/mV')}</option>`)}</select></label>
      <span class="spring"></span>
      <button onClick=${() => zoom(speed / 2)} aria-label="Zoom out">\u2212</button>
      <button onClick=${() => zoom(speed * 2)} aria-label="Zoom in">+</button>
      <button onClick=${() => { setSpeed(slowest); setFrom(0); }}>Whole recording</button>
    </div>
    ${trouble && html`<p class="trouble" role="status">${trouble} Trying again.</p>`}
    <canvas ref=${canvas} tabindex="0" role="img" aria-label=${`ECG trace of lead ${lead}. Arrow keys move, plus and minus zoom, Home and End go to the ends. ${said}`}
      data-left=${LEFT} data-from=${from} data-visible=${visible}
      onKeyDown=${pressed} onWheel=${wheel}
      onPointerDown=${(/** @type {PointerEvent} */ event) => { drag.current = { x: event.clientX, from }; canvas.current?.setPointerCapture(event.pointerId); }}
      onPointerMove=${(/** @type {PointerEvent} */ event) => drag.current && move(drag.current.from - (event.clientX - drag.current.x) / pixelsPerSecond)}
      onPointerUp=${() => { drag.current = null; }} onPointerCancel=${() => { drag.current = null; }}></canvas>
    <p class="caption"><span role="status">${said}</span><span>${standard ? figure(speed, 'mm/s', speed % 1 ? 1 : 0) : 'free scale'}, ${figure(gain, 'mm/mV')}, pulse 1\u2009mV \u00d7 200\u2009ms; hollow or ?: suspect beat, hatched: unreadable</span></p>
  </section>`;
}
