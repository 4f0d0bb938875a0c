// The signal in tiles, each of one level of detail, fetched once.

import { Refusal } from '../../api.js';
import * as api from '../api.js';

/** Points of one tile. */
const POINTS = 1024;
/** Tiles kept; the oldest leave. */
const KEPT = 160;

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
    /** @type {Map<string, import('../api.js').Signal | 'coming'>} */
    this.tiles = new Map();
  }

  /**
   * What is there of a span; what is missing is fetched.
   * @param {number} from @param {number} to @param {number} pixelsPerSecond
   * @returns {import('../api.js').Signal[]}
   */
  between(from, to, pixelsPerSecond) {
    const perPixel = this.rate / pixelsPerSecond;
    // A power of two, so that neighbouring tiles meet; no more than one sample too fine.
    const step = 2 ** Math.max(0, Math.floor(Math.log2(perPixel)));
    const length = (POINTS * step) / this.rate;
    const found = [];
    for (let index = Math.max(0, Math.floor(from / length)); index * length < Math.min(to, this.duration); index += 1) {
      const key = `${step}/${index}`;
      const tile = this.tiles.get(key);
      if (tile === undefined) this.fetch(key, index * length, (index + 1) * length);
      else if (tile !== 'coming') found.push(tile);
    }
    return found;
  }

  /** @param {string} key @param {number} from @param {number} to */
  async fetch(key, from, to) {
    this.tiles.set(key, 'coming');
    try {
      this.tiles.set(key, await api.signal(this.id, this.lead, from, Math.min(to, this.duration), POINTS));
      this.trouble(null);
      for (const old of this.tiles.keys()) {
        if (this.tiles.size <= KEPT) break;
        this.tiles.delete(old);
      }
      this.arrived();
    } catch (cause) {
      this.trouble(cause instanceof Refusal ? cause.problem.detail : String(cause));
      // Tried again by the next drawing, not at once.
      setTimeout(() => {
        this.tiles.delete(key);
        this.arrived();
      }, 3000);
    }
  }
}
