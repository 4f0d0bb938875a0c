// The trace on ECG paper: leads in a layout, pan, zoom, speed and gain, beats to select, calipers; by mouse, touch and keyboard.

import { html, useEffect, useMemo, useRef, useState } from '../../view.js';
import { clock, words } from '../../format.js';
import * as calipers from './calipers.js';
import { useCanvas, useStill } from './canvas.js';
import { PULSE_MM, height, layouts, twelve, views } from './layout.js';
import * as paper from './paper.js';
import { useMillimetre } from './scale.js';
import { Tiles } from './tiles.js';
import { Caption, SPEEDS, Toolbar } from './toolbar.js';

/** Pixels within which a press counts as a click, a leg is grasped, and a peak draws a leg to it. */
const STILL = 4;
const GRASP = 8;
const SNAP = 12;
/** Pixels from a beat within which a click means it. */
const REACH = 28;

/**
 * @typedef {{show: (time: number) => void, span: (from: number, to: number) => void, focus: () => void, seen: () => {lead: string, speed: number, gain: number, from: number, layout: import('./layout.js').Layout}}} Handle what else the page may ask of the trace
 * @param {{document: import('../api.js').RecordingDocument, beats: import('../api.js').Beat[], selected: number | null, select: (sample: number | null) => void, typed: (event: KeyboardEvent) => boolean, handle: {current: Handle | null}, moved: (span: {from: number, to: number}) => void}} properties
 *   `selected` is a beat's sample; `typed` says whether it took the key
 */
export function Trace({ document, beats, selected, select, typed, handle, moved }) {
  const { recording, unreadable } = document;
  const mm = useMillimetre();
  const [lead, setLead] = useState(document.lead);
  // A resting ECG is read from all its leads, a long one from a strip.
  const [chosen, choose] = useState(recording.duration_s <= 60 && innerWidth >= 900 && twelve(recording.leads) ? '3x4+1' : 'strip');
  /** Millimetres a second; anything, the three standard ones have boxes. */
  const [speed, setSpeed] = useState(25);
  const [gain, setGain] = useState(10);
  const [from, setFrom] = useState(0);
  const [drawn, redraw] = useState(0);
  const [trouble, setTrouble] = useState(/** @type {string | null} */ (null));
  const [measuring, setMeasuring] = useState(false);
  const [legs, setLegs] = useState(/** @type {calipers.Calipers | null} */ (null));
  const tiles = useRef(/** @type {Map<string, Tiles>} */ (new Map()));
  const offered = useMemo(() => layouts(recording.leads, lead), [recording, lead]);
  const layout = offered.find((one) => one.id === chosen) ?? offered[0];

  const signal = (/** @type {string} */ name) => {
    let found = tiles.current.get(name);
    if (!found) {
      found = new Tiles(document.id, name, recording.sampling_rate_hz, recording.duration_s, () => redraw((/** @type {number} */ n) => n + 1), setTrouble);
      tiles.current.set(name, found);
    }
    return found;
  };
  const offset = (/** @type {string} */ name) => tiles.current.get(name)?.offset ?? 0;
  const laidOut = (/** @type {number} */ width, /** @type {number} */ tall) =>
    views(layout, { width, height: tall, mm, from, duration: recording.duration_s, speed, gain, gridded: SPEEDS.includes(speed) });

  const ground = useStill();
  const [canvas, size] = useCanvas((context, width, tall, element) => {
    const colour = paper.colours(element);
    const shown = laidOut(width, tall);
    const [first] = shown;
    // Boxes right of the pulse move with the time and come again after five millimetres: one drawing of them is shifted, by whole pixels.
    const box = first.gridded ? 5 * mm : 0;
    const shift = box ? -Math.round(((first.from * first.pixelsPerSecond) % box) * devicePixelRatio) / devicePixelRatio : 0;
    const boxes = (/** @type {number} */ at) => ground(context, width + box, tall, [colour, first.gridded, first.left, first.zero, first.pixelsPerMillivolt, mm],
      (picture) => paper.grid(picture, { ...first, from: 0 }, width + box, tall, colour), at);
    paper.within(context, 0, first.left, tall, () => boxes(0));
    paper.within(context, first.left, width - first.left, tall, () => boxes(shift));
    for (const view of shown) {
      const found = signal(view.lead).between(view.from, view.to, view.pixelsPerSecond);
      const chosenBeat = selected !== null && view.marked && beats[calipers.nearest(beats, selected / recording.sampling_rate_hz)];
      if (chosenBeat) paper.selected(context, view, chosenBeat.time_s, colour);
      paper.unreadable(context, view, unreadable, colour);
      paper.trace(context, view, found, offset(view.lead), colour);
      if (view.marked) paper.marks(context, view, between(beats, view.from, view.to), colour);
      if (view.first) paper.pulse(context, view, colour);
      if (layout.panels.length > 1) paper.name(context, view, colour);
      if (legs?.lead === view.lead) calipers.draw(context, view, legs, offset(view.lead), colour);
    }
    for (const view of shown) if (view.top + view.height > tall - 1) paper.ruler(context, view, (seconds) => clock(seconds), colour);
  }, [from, speed, gain, drawn, layout, mm, beats, selected, legs]);

  const left = Math.round(PULSE_MM * mm);
  const pixelsPerSecond = speed * mm;
  const visible = Math.max(0.1, (size.width - left) / pixelsPerSecond);
  const last = Math.max(0, recording.duration_s - visible);
  const slowest = Math.min(12.5, (size.width - left) / recording.duration_s / mm);
  const place = (/** @type {number} */ time, /** @type {number} */ room) => setFrom(Math.min(Math.max(0, recording.duration_s - room), Math.max(0, time)));
  const move = (/** @type {number} */ time) => place(time, visible);
  const zoom = (/** @type {number} */ to, /** @type {number} */ share = 0.5) => {
    const next = Math.min(100, Math.max(slowest, to));
    const room = (size.width - left) / (next * mm);
    setSpeed(next);
    place(from + visible * share - room * share, room);
  };
  const whole = () => { setSpeed(slowest); setFrom(0); };
  handle.current = {
    show: (time) => {
      // An event is looked at closely.
      const next = speed < 12.5 ? 25 : speed;
      const room = (size.width - left) / (next * mm);
      setSpeed(next);
      if (next !== speed || time < from + room * 0.05 || time > from + room * 0.9) place(time - room * 0.3, room);
      canvas.current?.scrollIntoView({ block: 'nearest' });
    },
    span: (start, end) => {
      setSpeed(Math.min(50, Math.max(slowest, (size.width - left) / (end - start) / mm)));
      setFrom(Math.max(0, start));
    },
    focus: () => canvas.current?.focus(),
    seen: () => ({ lead, speed, gain, from, layout }),
  };
  useEffect(() => moved({ from, to: Math.min(recording.duration_s, from + visible) }), [from, visible]);

  const step = (/** @type {number} */ by) => {
    const at = selected === null ? calipers.firstAfter(beats, from) : calipers.nearest(beats, selected / recording.sampling_rate_hz) + by;
    const beat = beats[Math.min(beats.length - 1, Math.max(0, at))];
    if (!beat) return;
    select(beat.sample);
    if (beat.time_s < from + visible * 0.03 || beat.time_s > from + visible * 0.97) move(beat.time_s - visible * (by < 0 ? 0.8 : 0.2));
  };
  /** Calipers from the selected beat, or the first in view, to the one after it. */
  const measure = (/** @type {boolean} */ on) => {
    setMeasuring(on);
    if (!on) { setLegs(null); return; }
    const at = selected === null ? calipers.firstAfter(beats, from) : calipers.nearest(beats, selected / recording.sampling_rate_hz);
    const first = beats[at]?.time_s ?? from + visible / 3;
    const peak = signal(lead).level(first) ?? offset(lead) + 1;
    setLegs({ lead, time: [first, beats[at + 1]?.time_s ?? first + visible / 6], level: [peak, offset(lead)] });
  };
  const drag = useRef(/** @type {null | {x: number, from: number, moved: boolean, leg: null | 0 | 1, view: import('./layout.js').View | undefined}} */ (null));
  const under = (/** @type {PointerEvent} */ event) => laidOut(size.width, size.height).find((view) =>
    event.offsetX >= view.left && event.offsetX < view.left + view.width && event.offsetY >= view.top && event.offsetY < view.top + view.height);
  const at = (/** @type {PointerEvent} */ event, /** @type {import('./layout.js').View} */ view) => {
    const time = Math.min(recording.duration_s, Math.max(0, view.from + (event.offsetX - view.left) / view.pixelsPerSecond));
    return {
      time: event.altKey ? time : calipers.snapped(beats, time, SNAP / view.pixelsPerSecond),
      level: offset(view.lead) + (view.zero - event.offsetY) / view.pixelsPerMillivolt,
    };
  };
  const down = (/** @type {PointerEvent} */ event) => {
    if (event.button !== 0) return;
    const view = under(event);
    drag.current = { x: event.clientX, from, moved: false, leg: null, view };
    canvas.current?.setPointerCapture(event.pointerId);
    if (!measuring || !view) return;
    const here = at(event, view);
    const near = legs?.lead === view.lead ? legs.time.findIndex((time) => Math.abs((time - view.from) * view.pixelsPerSecond + view.left - event.offsetX) < GRASP) : -1;
    drag.current.leg = near === 0 ? 0 : 1;
    if (near < 0) setLegs({ lead: view.lead, time: [here.time, here.time], level: [here.level, here.level] });
  };
  const dragged = (/** @type {PointerEvent} */ event) => {
    const now = drag.current;
    if (!now) return;
    if (Math.abs(event.clientX - now.x) > STILL) now.moved = true;
    if (measuring && now.view && now.leg !== null) {
      const [here, leg] = [at(event, now.view), now.leg];
      setLegs((/** @type {calipers.Calipers | null} */ was) => was && {
        ...was,
        time: /** @type {[number, number]} */ (was.time.map((time, one) => (one === leg ? here.time : time))),
        level: /** @type {[number, number]} */ (was.level.map((level, one) => (one === leg ? here.level : level))),
      });
    } else if (now.moved) move(now.from - (event.clientX - now.x) / pixelsPerSecond);
  };
  const up = (/** @type {PointerEvent} */ event) => {
    const now = drag.current;
    drag.current = null;
    if (!now || now.moved || measuring || !now.view) return;
    const time = now.view.from + (event.offsetX - now.view.left) / now.view.pixelsPerSecond;
    const beat = beats[calipers.nearest(beats, time)];
    select(beat && Math.abs(beat.time_s - time) * now.view.pixelsPerSecond <= REACH ? beat.sample : null);
  };

  const shift = (/** @type {number} */ samples, /** @type {number} */ millivolts) => setLegs((/** @type {calipers.Calipers | null} */ was) => was && {
    ...was,
    time: [was.time[0], Math.min(recording.duration_s, Math.max(0, was.time[1] + samples / recording.sampling_rate_hz))],
    level: [was.level[0], was.level[1] + millivolts],
  });
  const pressed = (/** @type {KeyboardEvent} */ event) => {
    if (typed(event)) { event.preventDefault(); return; }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const far = event.shiftKey ? 10 : 1;
    const keys = /** @type {Record<string, () => void>} */ ({
      ArrowLeft: () => move(from - visible / 10), ArrowRight: () => move(from + visible / 10), PageUp: () => move(from - visible * 0.9),
      PageDown: () => move(from + visible * 0.9), Home: () => move(0), End: () => move(last), '+': () => zoom(speed * 1.5), '=': () => zoom(speed * 1.5),
      '-': () => zoom(speed / 1.5), Enter: () => step(1), ' ': () => step(1), c: () => measure(!measuring),
      ...(selected !== null && { ArrowLeft: () => step(-1), ArrowRight: () => step(1), Escape: () => select(null) }),
      ...(measuring && legs && {
        ArrowLeft: () => shift(-far, 0), ArrowRight: () => shift(far, 0), ArrowUp: () => shift(0, 0.01 * far), ArrowDown: () => shift(0, -0.01 * far),
        x: () => setLegs({ ...legs, time: [legs.time[1], legs.time[0]], level: [legs.level[1], legs.level[0]] }), Escape: () => measure(false),
      }),
    });
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  };
  const wheel = (/** @type {WheelEvent} */ event) => {
    if (event.ctrlKey) {
      event.preventDefault();
      zoom(speed * (event.deltaY < 0 ? 1.25 : 0.8), Math.max(0, (event.offsetX - left) / (size.width - left)));
    } else if (Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey) {
      event.preventDefault();
      move(from + (event.deltaX || event.deltaY) / pixelsPerSecond);
    }
  };
  const near = between(beats, from, from + visible);
  const said = `${clock(from)} to ${clock(Math.min(recording.duration_s, from + visible))} of ${clock(recording.duration_s)}, ${near.length} beats, ${near.filter((beat) => beat.class && beat.class !== 'N').length} ectopic${hatched(unreadable.filter((span) => span.end_s > from && span.start_s < from + visible))}`;
  return html`<section class="trace" aria-label="Trace">
    <${Toolbar} leads=${recording.leads} offered=${offered} ...${{ lead, setLead, layout, choose, speed, gain, setGain, zoom, whole, measuring, measure }} />
    ${trouble && html`<p class="trouble" role="status">${trouble} Trying again.</p>`}
    <canvas ref=${canvas} class=${measuring ? 'measuring' : ''} tabindex="0" role="img" style=${{ height: `${height(layout, mm, size.width)}px` }}
      aria-label=${`ECG trace of ${layout.panels.length > 1 ? `${layout.name} leads` : `lead ${lead}`}. Arrow keys move, Enter selects a beat, C measures, plus and minus zoom, Home and End go to the ends. ${said}`}
      data-left=${left} data-from=${from} data-visible=${visible}
      onKeyDown=${pressed} onWheel=${wheel} onPointerDown=${down} onPointerMove=${dragged} onPointerUp=${up} onPointerCancel=${() => { drag.current = null; }}></canvas>
    <${Caption} said=${said} measured=${legs && calipers.said(legs)} speed=${speed} gain=${gain} />
  </section>`;
}

/** @param {import('../api.js').Beat[]} beats @param {number} from @param {number} to */
const between = (beats, from, to) => beats.slice(calipers.firstAfter(beats, from), calipers.firstAfter(beats, to));

/** What of the hatching is in view, for who does not see it. @param {import('../api.js').Span[]} spans */
function hatched(spans) {
  if (!spans.length) return '';
  const said = spans.slice(0, 2).map((span) => `${clock(span.start_s)} to ${clock(span.end_s)} (${span.reasons.map(words).join(', ')})`);
  return `, unreadable ${said.join(' and ')}${spans.length > 2 ? ` and ${spans.length - 2} more` : ''}`;
}
