// Two legs on the paper and what lies between them. Pure, but for the drawing.

import { figure } from '../../format.js';

/** @typedef {{lead: string, time: [number, number], level: [number, number]}} Calipers seconds and millivolts of both legs, on one lead */

/** The beat nearest to a time. @param {import('../api.js').Beat[]} beats @param {number} time @returns {number} its place, -1 without beats */
export function nearest(beats, time) {
  const after = firstAfter(beats, time);
  if (after === 0) return beats.length ? 0 : -1;
  if (after === beats.length) return after - 1;
  return beats[after].time_s - time < time - beats[after - 1].time_s ? after : after - 1;
}

/** Place of the first beat at or after a time. @param {import('../api.js').Beat[]} beats @param {number} time */
export function firstAfter(beats, time) {
  let low = 0;
  let high = beats.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (beats[middle].time_s < time) low = middle + 1; else high = middle;
  }
  return low;
}

/** The R peak near a time, or the time itself. @param {import('../api.js').Beat[]} beats @param {number} time @param {number} reach seconds */
export function snapped(beats, time, reach) {
  const at = nearest(beats, time);
  return at >= 0 && Math.abs(beats[at].time_s - time) <= reach ? beats[at].time_s : time;
}

/** What the legs measure. @param {Calipers} calipers */
export function measure({ time, level }) {
  const seconds = Math.abs(time[1] - time[0]);
  return { ms: 1000 * seconds, perMinute: seconds > 0 ? 60 / seconds : null, millivolts: Math.abs(level[1] - level[0]) };
}

/** @param {Calipers} calipers */
export function said(calipers) {
  const found = measure(calipers);
  const rate = found.perMinute !== null && found.perMinute <= 400 ? `${figure(found.perMinute, '/min')}, ` : '';
  return `${figure(found.ms, 'ms')}, ${rate}${figure(found.millivolts, 'mV', 2)}`;
}

/**
 * @param {CanvasRenderingContext2D} canvas @param {import('./layout.js').View} view @param {Calipers} calipers @param {number} offset millivolts at the view's zero
 * @param {ReturnType<typeof import('./paper.js').colours>} colour
 */
export function draw(canvas, view, calipers, offset, colour) {
  const x = calipers.time.map((time) => view.left + (time - view.from) * view.pixelsPerSecond);
  const y = calipers.level.map((level) => view.zero - (level - offset) * view.pixelsPerMillivolt);
  canvas.save();
  canvas.beginPath();
  canvas.rect(view.left, view.top, view.width, view.height);
  canvas.clip();
  canvas.fillStyle = colour.accent;
  canvas.globalAlpha = 0.1;
  canvas.fillRect(Math.min(x[0], x[1]), view.top, Math.abs(x[1] - x[0]), view.height);
  canvas.globalAlpha = 1;
  canvas.strokeStyle = colour.accent;
  canvas.lineWidth = 1.5;
  canvas.beginPath();
  for (const at of x) { canvas.moveTo(at, view.top); canvas.lineTo(at, view.top + view.height); }
  canvas.stroke();
  canvas.setLineDash([4, 3]);
  canvas.beginPath();
  for (const at of y) { canvas.moveTo(Math.min(x[0], x[1]) - 12, at); canvas.lineTo(Math.max(x[0], x[1]) + 12, at); }
  canvas.stroke();
  canvas.setLineDash([]);
  const text = said(calipers);
  canvas.font = '600 13px system-ui, sans-serif';
  const wide = canvas.measureText(text).width;
  const middle = Math.min(view.left + view.width - wide - 12, Math.max(view.left + 8, (x[0] + x[1] - wide) / 2));
  const line = view.top + view.height - 28;
  canvas.fillStyle = colour.accent;
  canvas.beginPath();
  canvas.roundRect(middle - 8, line - 15, wide + 16, 22, 6);
  canvas.fill();
  canvas.fillStyle = colour.onAccent;
  canvas.fillText(text, middle, line);
  canvas.restore();
}
