// How long a millimetre is on this screen: what the browser assumes, or what somebody measured with a ruler or a card.

import { useEffect, useState } from '../../view.js';

const KEY = 'einthoven.device-pixels-per-millimetre';
/** CSS pixels of one millimetre, as browsers assume it. */
export const ASSUMED = 96 / 25.4;
/** Width of a bank or identity card (ISO/IEC 7810 ID-1), in millimetres. */
export const CARD_MM = 85.6;
/** What a screen may have, in CSS pixels a millimetre: a wall display to a telephone. */
export const [LEAST, MOST] = [1.5, 14];

/** @type {Set<() => void>} */
const listeners = new Set();

/** What was measured on this screen, in CSS pixels a millimetre; null if nothing was. @returns {number | null} */
export function measured() {
  try {
    // Device pixels are kept: zooming the page changes how large a CSS pixel is, and not the screen.
    const value = Number(localStorage.getItem(KEY)) / (devicePixelRatio || 1);
    return value >= LEAST && value <= MOST ? value : null;
  } catch {
    return null;
  }
}

/** CSS pixels of one millimetre on this screen. */
export const millimetre = () => measured() ?? ASSUMED;

/** Keeps what was measured; null forgets it. @param {number | null} pixels CSS pixels a millimetre */
export function calibrate(pixels) {
  try {
    if (pixels === null) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, String(pixels * (devicePixelRatio || 1)));
  } catch {
    // A browser that keeps nothing shows the assumed scale; the dialogue says which one holds.
  }
  for (const listener of listeners) listener();
}

/** CSS pixels of one millimetre, drawn anew when that changes. */
export function useMillimetre() {
  const [value, set] = useState(millimetre);
  useEffect(() => {
    const look = () => set(millimetre());
    listeners.add(look);
    addEventListener('storage', look);
    // Zooming the page ends in a resize.
    addEventListener('resize', look);
    return () => {
      listeners.delete(look);
      removeEventListener('storage', look);
      removeEventListener('resize', look);
    };
  }, []);
  return value;
}
