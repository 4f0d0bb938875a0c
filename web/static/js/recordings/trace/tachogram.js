// RR intervals over the whole recording, with a brush that moves the trace.

import { html, useState } from '../../view.js';
import { clock } from '../../format.js';
import { intervals } from '../rhythm.js';
import { useCanvas, useStill } from './canvas.js';
import { colours } from './paper.js';

const HIGHEST_MS = 2000;
const LEFT = 36;

/**
 * @param {{document: import('../api.js').RecordingDocument, beats: import('../api.js').Beat[], spanned: {current: (span: {from: number, to: number}) => void}, go: (time: number) => void, select: (from: number, to: number) => void}} properties
 *   what the trace shows is told by `spanned`
 */
export function Tachogram({ document, beats, spanned, go, select }) {
  const [span, setSpan] = useState({ from: 0, to: 10 });
  spanned.current = setSpan;
  const [brush, setBrush] = useState(/** @type {null | {start: number, end: number}} */ (null));
  const duration = Math.max(0.001, document.recording.duration_s);
  const still = useStill();
  const [canvas, { width }] = useCanvas((context, width, height, element) => {
    const colour = colours(element);
    const x = (/** @type {number} */ time) => LEFT + (time / duration) * (width - LEFT);
    context.fillStyle = colour.accent;
    context.globalAlpha = 0.16;
    context.fillRect(x(span.from), 0, Math.max(2, x(span.to) - x(span.from)), height - 16);
    context.globalAlpha = 1;
    if (brush) {
      context.strokeStyle = colour.accent;
      context.lineWidth = 1;
      context.strokeRect(x(Math.min(brush.start, brush.end)), 0.5, Math.abs(x(brush.end) - x(brush.start)), height - 17);
    }
    still(context, width, height, [document, beats, colour], (picture) => points(picture, { width, height, duration, unreadable: document.unreadable, beats, colour }));
  }, [span.from, span.to, document, beats, brush]);

  const time = (/** @type {PointerEvent} */ event) => Math.min(duration, Math.max(0, ((event.offsetX - LEFT) / (width - LEFT)) * duration));
  const centre = (/** @type {number} */ at) => go(Math.max(0, at));
  const pressed = (/** @type {KeyboardEvent} */ event) => {
    const step = duration / 50;
    const to = { ArrowLeft: span.from - step, ArrowRight: span.from + step + (span.to - span.from) * 0.3, Home: 0, End: duration }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      centre(to);
    }
  };
  return html`<section class="tachogram" aria-label="Tachogram">
    <h2>RR intervals <span class="quiet">ms, whole recording; click or drag to look there</span></h2>
    <canvas ref=${canvas} tabindex="0" role="img" aria-label="RR intervals over the whole recording. Arrow keys move the trace."
      onKeyDown=${pressed}
      onPointerDown=${(/** @type {PointerEvent} */ event) => { setBrush({ start: time(event), end: time(event) }); canvas.current?.setPointerCapture(event.pointerId); }}
      onPointerMove=${(/** @type {PointerEvent} */ event) => brush && setBrush({ start: brush.start, end: time(event) })}
      onPointerCancel=${() => setBrush(null)}
      onPointerUp=${(/** @type {PointerEvent} */ event) => {
        if (!brush) return;
        const [a, b] = [Math.min(brush.start, time(event)), Math.max(brush.start, time(event))];
        setBrush(null);
        if (((b - a) / duration) * width < 5) centre(a); else select(a, b);
      }}></canvas>
  </section>`;
}

/**
 * All that a look elsewhere does not change: scale, unreadable spans, a point for each interval, times.
 * @param {CanvasRenderingContext2D} context
 * @param {{width: number, height: number, duration: number, unreadable: import('../api.js').Span[], beats: import('../api.js').Beat[], colour: ReturnType<typeof colours>}} shown
 */
function points(context, { width, height, duration, unreadable, beats, colour }) {
  const x = (/** @type {number} */ time) => LEFT + (time / duration) * (width - LEFT);
  const y = (/** @type {number} */ ms) => height - 16 - (Math.min(ms, HIGHEST_MS) / HIGHEST_MS) * (height - 22);
  context.fillStyle = colour.quiet;
  context.strokeStyle = colour.bold;
  context.font = '400 11px system-ui, sans-serif';
  for (const ms of [500, 1000, 1500]) {
    context.beginPath();
    context.moveTo(LEFT, y(ms));
    context.lineTo(width, y(ms));
    context.globalAlpha = 0.5;
    context.stroke();
    context.globalAlpha = 1;
    context.fillText(String(ms), 2, y(ms) + 4);
  }
  context.fillStyle = colour.Q;
  context.globalAlpha = 0.35;
  for (const one of unreadable) context.fillRect(x(one.start_s), 4, Math.max(1, x(one.end_s) - x(one.start_s)), height - 22);
  context.globalAlpha = 1;
  const found = intervals(beats, unreadable);
  for (const pass of ['N', 'SVFQ']) {
    for (const { time, ms, name } of found) {
      if (!pass.includes(name)) continue;
      const size = name === 'N' ? 1.5 : 3.5;
      context.fillStyle = name === 'N' ? colour.ink : colour[/** @type {'S'} */ (name)];
      const place = [x(time), y(ms)];
      if (name === 'S') { context.beginPath(); context.arc(place[0], place[1], size / 1.6, 0, 7); context.fill(); }
      else context.fillRect(place[0] - size / 2, place[1] - size / 2, size, size);
    }
  }
  context.fillStyle = colour.quiet;
  const step = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400].find((seconds) => (seconds / duration) * (width - LEFT) >= 70) ?? 28800;
  for (let time = 0; time < duration - step / 3; time += step) context.fillText(clock(time), x(time), height - 3);
}
