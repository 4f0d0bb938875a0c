// The signal in tiles, each of one level of detail, fetched once.

import { Refusal } from '../../api.js';
import { signal } from '../api.js';

/** Points of one tile. */
const POINTS = 1024;
/** Tiles of one lead that are kept; those not drawn for longest leave. */
const KEPT = 160;
/** Seconds before a tile that did not come is asked for again. */
const PATIENCE_S = 3;

/** @typedef {import('../api.js').Signal} Signal */

/** Minima and maxima of one lead at the level of detail that a scale needs. */
export class Tiles {
  /** @param {string} id @param {string} lead @param {number} rate @param {number} duration @param {() => void} arrived @param {(message: string | null) => void} trouble */
  constructor(id, lead, rate, duration, arrived, trouble) {
    this.id = id;
    this.lead = lead;
    this.rate = rate;
    this.duration = duration;
    this.arrived = arrived;
    this.trouble = trouble;
    /** @type {Map<string, Signal | 'coming'>} */
    this.tiles = new Map();
    /** Millivolts at the middle of the lead, once some of it is there. @type {number | null} */
    this.offset = null;
  }

  /**
   * What is there of a span; what is missing is fetched, and so is what lies beside it. Until a tile is there, a coarser one that
   * was drawn before stands in for it.
   * @param {number} from @param {number} to @param {number} pixelsPerSecond
   * @returns {Signal[]}
   */
  between(from, to, pixelsPerSecond) {
    const perPixel = this.rate / pixelsPerSecond;
    // A power of two, so that neighbouring tiles meet; no more than one sample too fine.
    const step = 2 ** Math.max(0, Math.floor(Math.log2(perPixel)));
    const length = (POINTS * step) / this.rate;
    /** @type {Signal[]} */
    const found = [];
    const first = Math.max(0, Math.floor(from / length));
    let index = first;
    for (; index * length < Math.min(to, this.duration); index += 1) {
      const tile = this.tile(step, index);
      if (tile) found.push(tile);
      else {
        const coarser = this.coarser(step, index);
        if (coarser && !found.includes(coarser)) found.push(coarser);
      }
    }
    if (first > 0) this.tile(step, first - 1);
    if (index * length < this.duration) this.tile(step, index);
    return found;
  }

  /** @param {number} step @param {number} index @returns {Signal | null} */
  tile(step, index) {
    const key = `${step}/${index}`;
    const tile = this.tiles.get(key);
    if (tile === undefined) this.fetch(key, (index * POINTS * step) / this.rate, ((index + 1) * POINTS * step) / this.rate);
    if (tile === undefined || tile === 'coming') return null;
    this.tiles.delete(key);
    this.tiles.set(key, tile);
    return tile;
  }

  /** The finest tile of a coarser level that holds one. @param {number} step @param {number} index @returns {Signal | null} */
  coarser(step, index) {
    for (let up = 1; up < 24; up += 1) {
      const tile = this.tiles.get(`${step * 2 ** up}/${Math.floor(index / 2 ** up)}`);
      if (tile && tile !== 'coming') return tile;
    }
    return null;
  }

  /** @param {string} key @param {number} from @param {number} to */
  async fetch(key, from, to) {
    this.tiles.set(key, 'coming');
    try {
      const tile = await signal(this.id, this.lead, from, Math.min(to, this.duration), POINTS);
      this.tiles.set(key, tile);
      this.offset ??= middle(tile);
      this.trouble(null);
      for (const old of this.tiles.keys()) {
        if (this.tiles.size <= KEPT) break;
        this.tiles.delete(old);
      }
      this.arrived();
    } catch (cause) {
      this.trouble(cause instanceof Refusal ? cause.problem.detail : String(cause));
      setTimeout(() => {
        this.tiles.delete(key);
        this.arrived();
      }, 1000 * PATIENCE_S);
    }
  }

  /** The signal at a time, as far as it is here, in millivolts: the extreme farther from the middle. @param {number} time */
  level(time) {
    let best = null;
    for (const tile of this.tiles.values()) {
      if (tile === 'coming' || time < tile.from_s || time > tile.to_s) continue;
      if (!best || tile.samples_per_point < best.samples_per_point) best = tile;
    }
    if (!best) return null;
    const at = Math.floor(((time - best.from_s) * best.sampling_rate_hz + 0.5) / best.samples_per_point);
    const [low, high] = [best.min_mv[at] ?? null, best.max_mv[at] ?? null];
    if (low === null || high === null) return null;
    const zero = this.offset ?? 0;
    return Math.abs(high - zero) >= Math.abs(low - zero) ? high : low;
  }
}

/**
 * The middle value, to a tenth: an electrode's own voltage is not the heart's, and is left out of the drawing.
 * @param {Signal} tile
 */
function middle(tile) {
  /** @type {number[]} */
  const values = [];
  tile.min_mv.forEach((low, at) => low !== null && values.push((low + Number(tile.max_mv[at])) / 2));
  values.sort((a, b) => a - b);
  return values.length ? Math.round(values[values.length >> 1] * 10) / 10 : null;
}
