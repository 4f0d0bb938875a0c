// Where each lead stands on the paper. Pure: lengths in CSS pixels, times in seconds.

const STANDARD = ['I', 'II', 'III', 'aVR', 'aVL', 'aVF', 'V1', 'V2', 'V3', 'V4', 'V5', 'V6'];
/** Millimetres left of the trace for the calibration pulse: 200 ms at 50 mm/s and some air. */
export const PULSE_MM = 12.5;

/**
 * @typedef {{lead: string, row: number, column: number, span: number, marked: boolean}} Panel a lead's place; `span` columns wide; `marked` where its beats are lettered
 * @typedef {{id: string, name: string, rows: number, columns: number, rowMm: number, panels: Panel[]}} Layout
 * @typedef {{lead: string, from: number, to: number, pixelsPerSecond: number, pixelsPerMillivolt: number, mm: number, left: number, top: number, width: number, height: number, zero: number, gridded: boolean, marked: boolean, first: boolean}} View
 */

/**
 * The recording's name of each standard lead, where all twelve are there.
 * @param {{name: string, standard: string | null}[]} leads @returns {string[] | null}
 */
export function twelve(leads) {
  const found = STANDARD.map((standard) => leads.find((lead) => lead.standard === standard)?.name);
  return found.every((lead) => lead !== undefined) ? /** @type {string[]} */ (found) : null;
}

/** Leads in columns, each from top to bottom. @param {string[]} leads @param {number} rows @param {boolean} marked @returns {Panel[]} */
function columns(leads, rows, marked) {
  return leads.map((lead, at) => ({ lead, row: at % rows, column: Math.floor(at / rows), span: 1, marked: marked && at % rows === 0 }));
}

/**
 * The layouts that a recording has leads for, the rhythm strip first.
 * @param {{name: string, standard: string | null}[]} leads @param {string} lead the lead of the strip @returns {Layout[]}
 */
export function layouts(leads, lead) {
  /** @type {Layout[]} */
  const found = [{ id: 'strip', name: 'Rhythm strip', rows: 1, columns: 1, rowMm: 90, panels: [{ lead, row: 0, column: 0, span: 1, marked: true }] }];
  const all = twelve(leads);
  if (all) {
    const rhythm = { lead, row: 3, column: 0, span: 4, marked: true };
    found.push({ id: '3x4+1', name: '3 \u00d7 4 + rhythm', rows: 4, columns: 4, rowMm: 30, panels: [...columns(all, 3, false), rhythm] });
    found.push({ id: '6x2', name: '6 \u00d7 2', rows: 6, columns: 2, rowMm: 25, panels: columns(all, 6, true) });
    found.push({ id: '12x1', name: '12 \u00d7 1', rows: 12, columns: 1, rowMm: 20, panels: columns(all, 12, true) });
  } else if (leads.length > 1) {
    const rows = Math.min(leads.length, 12);
    found.push({ id: 'all', name: 'All leads', rows, columns: 1, rowMm: rows > 4 ? 20 : 45, panels: columns(leads.slice(0, rows).map((one) => one.name), rows, true) });
  }
  return found;
}

/** Height of the paper in CSS pixels: whole boxes of 5 mm, less of them where the window is narrow. @param {Layout} layout @param {number} mm @param {number} width */
export function height(layout, mm, width) {
  const row = layout.rows === 1 && width < 600 ? 75 : layout.rowMm;
  return Math.round(layout.rows * row * mm);
}

/**
 * What each panel shows.
 * @param {Layout} layout
 * @param {{width: number, height: number, mm: number, from: number, duration: number, speed: number, gain: number, gridded: boolean}} paper `speed` in mm/s, `gain` in mm/mV
 * @returns {View[]}
 */
export function views(layout, paper) {
  const left = Math.round(PULSE_MM * paper.mm);
  const pixelsPerSecond = paper.speed * paper.mm;
  // Columns follow each other in time, so all of them lie within the recording.
  const room = layout.columns > 1 ? Math.min(paper.width - left, paper.duration * pixelsPerSecond) : paper.width - left;
  const row = paper.height / layout.rows;
  const column = room / layout.columns;
  return layout.panels.map((panel) => {
    const from = paper.from + (panel.column * column) / pixelsPerSecond;
    const width = column * panel.span;
    return {
      lead: panel.lead,
      from,
      to: from + width / pixelsPerSecond,
      pixelsPerSecond,
      pixelsPerMillivolt: paper.gain * paper.mm,
      mm: paper.mm,
      left: left + panel.column * column,
      top: panel.row * row,
      width,
      height: row,
      // A little below the middle: R waves mostly point up.
      zero: Math.round(panel.row * row + row * 0.58),
      gridded: paper.gridded,
      marked: panel.marked,
      first: panel.column === 0,
    };
  });
}
