// Drawing on ECG paper: grid, trace, beats, unreadable spans, calibration pulse. No state; all lengths in CSS pixels.

/** @typedef {import('./layout.js').View} View */

/** Colours of an element, with the scheme that they were read in: reading them anew would cost every frame a look at the whole page. @type {WeakMap<HTMLElement, {dark: boolean, colour: ReturnType<typeof read>}>} */
const seen = new WeakMap();

/** @param {HTMLElement} element */
export function colours(element) {
  const dark = matchMedia('(prefers-color-scheme: dark)').matches;
  const known = seen.get(element);
  if (known?.dark === dark) return known.colour;
  const colour = read(element);
  seen.set(element, { dark, colour });
  return colour;
}

/** @param {HTMLElement} element */
function read(element) {
  const style = getComputedStyle(element);
  const of = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
  return {
    paper: of('--paper'), fine: of('--grid-fine'), bold: of('--grid-bold'), trace: of('--trace'), ink: of('--ink'), quiet: of('--quiet'),
    accent: of('--accent'), S: of('--beat-s'), V: of('--beat-v'), F: of('--beat-f'), Q: of('--beat-q'), N: of('--quiet'), onV: of('--on-v'), onAccent: of('--on-accent'),
  };
}

/**
 * The paper under all panels. Boxes move with the time of the first one and lie on its zero.
 * @param {CanvasRenderingContext2D} canvas @param {View} view the first panel @param {number} width @param {number} height @param {ReturnType<typeof colours>} colour
 */
export function grid(canvas, view, width, height, colour) {
  canvas.fillStyle = colour.paper;
  canvas.fillRect(0, 0, width, height);
  if (!view.gridded) {
    // Far out the boxes would say nothing of time; whole millivolts still can be read.
    canvas.strokeStyle = colour.fine;
    canvas.lineWidth = 1;
    canvas.beginPath();
    for (let y = view.zero % view.pixelsPerMillivolt; y < height; y += view.pixelsPerMillivolt) { canvas.moveTo(view.left, y); canvas.lineTo(width, y); }
    canvas.stroke();
    return;
  }
  const shift = -((view.from * view.pixelsPerSecond) % (5 * view.mm));
  const middle = view.zero % (5 * view.mm);
  for (const [every, paint, thick] of /** @type {[number, string, number][]} */ ([[1, colour.fine, 0.6], [5, colour.bold, 1]])) {
    canvas.strokeStyle = paint;
    canvas.lineWidth = thick;
    canvas.beginPath();
    for (let x = view.left + shift; x < width; x += every * view.mm) {
      if (x >= view.left) { canvas.moveTo(x, 0); canvas.lineTo(x, height); }
    }
    for (let x = view.left; x >= 0; x -= every * view.mm) { canvas.moveTo(x, 0); canvas.lineTo(x, height); }
    for (let y = middle - 5 * view.mm; y < height; y += every * view.mm) { canvas.moveTo(0, y); canvas.lineTo(width, y); }
    canvas.stroke();
  }
}

/** Draws within a strip of the paper. @param {CanvasRenderingContext2D} canvas @param {number} left @param {number} width @param {number} height @param {() => void} draw */
export function within(canvas, left, width, height, draw) {
  canvas.save();
  canvas.beginPath();
  canvas.rect(left, 0, width, height);
  canvas.clip();
  draw();
  canvas.restore();
}

/** Which lead this is, and where its column begins. @param {CanvasRenderingContext2D} canvas @param {View} view @param {ReturnType<typeof colours>} colour */
export function name(canvas, view, colour) {
  canvas.font = '600 13px system-ui, sans-serif';
  const wide = canvas.measureText(view.lead).width;
  const y = Math.max(view.top + 16, view.zero - 12 * view.mm);
  canvas.globalAlpha = 0.85;
  canvas.fillStyle = colour.paper;
  canvas.fillRect(view.left + 4, y - 13, wide + 6, 17);
  canvas.globalAlpha = 1;
  canvas.fillStyle = colour.ink;
  canvas.fillText(view.lead, view.left + 7, y);
  if (view.first) return;
  canvas.strokeStyle = colour.trace;
  canvas.lineWidth = 1;
  canvas.beginPath();
  for (const end of [-1, 1]) { canvas.moveTo(view.left, view.zero + end * 1.5 * view.mm); canvas.lineTo(view.left, view.zero + end * 3.5 * view.mm); }
  canvas.stroke();
}

/** @param {CanvasRenderingContext2D} canvas @param {View} view @param {import('../api.js').Signal[]} tiles @param {number} offset millivolts at the baseline @param {ReturnType<typeof colours>} colour */
export function trace(canvas, view, tiles, offset, colour) {
  canvas.save();
  canvas.beginPath();
  canvas.rect(view.left, view.top, view.width, view.height);
  canvas.clip();
  canvas.strokeStyle = colour.trace;
  canvas.lineWidth = 1.25;
  canvas.lineJoin = 'round';
  canvas.beginPath();
  const y = (/** @type {number} */ millivolts) => view.zero - (millivolts - offset) * view.pixelsPerMillivolt;
  let pen = false;
  for (const tile of tiles) {
    const step = tile.samples_per_point / tile.sampling_rate_hz;
    for (let i = 0; i < tile.min_mv.length; i += 1) {
      const low = tile.min_mv[i];
      const high = tile.max_mv[i];
      if (low === null || high === null) { pen = false; continue; }
      const x = view.left + (tile.from_s + i * step - view.from) * view.pixelsPerSecond;
      if (x < view.left - 4 || x > view.left + view.width + 4) { pen = false; continue; }
      if (pen) canvas.lineTo(x, y(high)); else canvas.moveTo(x, y(high));
      if (low !== high) canvas.lineTo(x, y(low));
      pen = true;
    }
  }
  canvas.stroke();
  canvas.restore();
}

/** Hatched, with the reason where there is room. @param {CanvasRenderingContext2D} canvas @param {View} view @param {import('../api.js').Span[]} spans @param {ReturnType<typeof colours>} colour */
export function unreadable(canvas, view, spans, colour) {
  for (const span of spans) {
    const start = Math.max(view.left, view.left + (span.start_s - view.from) * view.pixelsPerSecond);
    const end = Math.min(view.left + view.width, view.left + (span.end_s - view.from) * view.pixelsPerSecond);
    if (end <= start) continue;
    canvas.save();
    canvas.beginPath();
    canvas.rect(start, view.top, end - start, view.height);
    canvas.clip();
    canvas.strokeStyle = colour.Q;
    canvas.globalAlpha = 0.55;
    canvas.lineWidth = 1;
    canvas.beginPath();
    for (let x = start - view.height; x < end; x += 9) { canvas.moveTo(x, view.top + view.height); canvas.lineTo(x + view.height, view.top); }
    canvas.stroke();
    canvas.globalAlpha = 1;
    if (view.marked && end - start > 150) label(canvas, `unreadable: ${span.reasons.map((reason) => reason.replaceAll('_', ' ')).join(', ')}`, start + 8, view.top + view.height - 28, colour);
    canvas.restore();
  }
}

/** @param {CanvasRenderingContext2D} canvas @param {string} text @param {number} x @param {number} y @param {ReturnType<typeof colours>} colour */
function label(canvas, text, x, y, colour) {
  canvas.font = '600 12px system-ui, sans-serif';
  const width = canvas.measureText(text).width;
  canvas.fillStyle = colour.paper;
  canvas.fillRect(x - 4, y - 13, width + 8, 18);
  canvas.fillStyle = colour.ink;
  canvas.fillText(text, x, y);
}

/** Height of the row of letters, from the upper edge of a panel. */
const LETTERS = 20;

/**
 * Letters and shapes above the beats; only ectopic ones where beats stand close. A beat that somebody relabelled is underlined.
 * @param {CanvasRenderingContext2D} canvas @param {View} view @param {import('../api.js').Beat[]} beats @param {ReturnType<typeof colours>} colour
 */
export function marks(canvas, view, beats, colour) {
  const close = view.pixelsPerSecond < 22;
  const tiny = view.pixelsPerSecond < 6;
  canvas.textAlign = 'center';
  for (const beat of beats) {
    const name = beat.class ?? '';
    const x = view.left + (beat.time_s - view.from) * view.pixelsPerSecond;
    if (x < view.left || (close && (name === 'N' || name === ''))) continue;
    const paint = colour[/** @type {'S'} */ (name)] ?? colour.Q;
    const y = view.top + LETTERS;
    if (beat.relabelled && !tiny) {
      canvas.fillStyle = colour.ink;
      canvas.fillRect(x - 9, y + 12, 18, 1.5);
    }
    if (name === 'N' || name === '') {
      canvas.font = '400 12px system-ui, sans-serif';
      canvas.fillStyle = colour.N;
      canvas.fillText((name || '\u00b7') + (beat.quality === 'suspect' ? '?' : ''), x, y + 4);
      continue;
    }
    shape(canvas, name, x, y, tiny ? 3 : 9, paint, beat.quality === 'suspect');
    if (!tiny) {
      canvas.font = '600 11px system-ui, sans-serif';
      canvas.fillStyle = beat.quality === 'suspect' ? paint : name === 'V' ? colour.onV : colour.paper;
      canvas.fillText(name, x, y + 4);
    }
  }
  canvas.textAlign = 'start';
}

/** Which beat is selected. @param {CanvasRenderingContext2D} canvas @param {View} view @param {number} time @param {ReturnType<typeof colours>} colour */
export function selected(canvas, view, time, colour) {
  const x = view.left + (time - view.from) * view.pixelsPerSecond;
  if (x < view.left || x > view.left + view.width) return;
  canvas.fillStyle = colour.accent;
  canvas.globalAlpha = 0.14;
  canvas.fillRect(x - 14, view.top, 28, view.height);
  canvas.globalAlpha = 1;
  canvas.strokeStyle = colour.accent;
  canvas.lineWidth = 2;
  canvas.beginPath();
  canvas.roundRect(x - 14, view.top + LETTERS - 14, 28, 28, 6);
  canvas.stroke();
}

/** S circle, V square, F diamond, Q triangle. @param {CanvasRenderingContext2D} canvas @param {string} name @param {number} x @param {number} y @param {number} r @param {string} paint @param {boolean} hollow */
export function shape(canvas, name, x, y, r, paint, hollow) {
  canvas.beginPath();
  if (name === 'S') canvas.arc(x, y, r, 0, 2 * Math.PI);
  else if (name === 'V') canvas.rect(x - r, y - r, 2 * r, 2 * r);
  else if (name === 'F') { canvas.moveTo(x, y - 1.3 * r); canvas.lineTo(x + 1.3 * r, y); canvas.lineTo(x, y + 1.3 * r); canvas.lineTo(x - 1.3 * r, y); canvas.closePath(); }
  else { canvas.moveTo(x, y - r); canvas.lineTo(x + r, y + r); canvas.lineTo(x - r, y + r); canvas.closePath(); }
  canvas.lineWidth = 1.5;
  canvas.strokeStyle = paint;
  canvas.fillStyle = paint;
  if (!hollow) canvas.fill();
  canvas.stroke();
}

/** One millivolt high, 200 ms wide. @param {CanvasRenderingContext2D} canvas @param {View} view @param {ReturnType<typeof colours>} colour */
export function pulse(canvas, view, colour) {
  const width = Math.min(0.2 * view.pixelsPerSecond, view.left - 12);
  const x = 5;
  canvas.strokeStyle = colour.trace;
  canvas.lineWidth = 1.25;
  canvas.beginPath();
  canvas.moveTo(x - 3, view.zero);
  canvas.lineTo(x, view.zero);
  canvas.lineTo(x, view.zero - view.pixelsPerMillivolt);
  canvas.lineTo(x + width, view.zero - view.pixelsPerMillivolt);
  canvas.lineTo(x + width, view.zero);
  canvas.lineTo(x + width + 3, view.zero);
  canvas.stroke();
}

/**
 * Seconds along the lower edge of a panel.
 * @param {CanvasRenderingContext2D} canvas @param {View} view @param {(seconds: number) => string} clock @param {ReturnType<typeof colours>} colour
 */
export function ruler(canvas, view, clock, colour) {
  const steps = [1, 2, 5, 10, 30, 60, 300, 600, 1800, 3600, 7200];
  const step = steps.find((seconds) => seconds * view.pixelsPerSecond >= 80) ?? 14400;
  const bottom = view.top + view.height;
  canvas.font = '400 11px system-ui, sans-serif';
  canvas.fillStyle = colour.quiet;
  canvas.strokeStyle = colour.quiet;
  canvas.lineWidth = 1;
  for (let time = Math.ceil(view.from / step) * step; ; time += step) {
    const x = view.left + (time - view.from) * view.pixelsPerSecond;
    if (x > view.left + view.width - 30) break;
    canvas.beginPath();
    canvas.moveTo(x, bottom - 6);
    canvas.lineTo(x, bottom);
    canvas.stroke();
    canvas.fillText(clock(time), x + 3, bottom - 3);
  }
}
