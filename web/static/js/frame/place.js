// What the top line says of where one is. A room says it, the frame shows it.

import { useEffect, useState } from '../view.js';

/**
 * @typedef {object} Place
 * @property {{text: string, href?: string}[]} where from the room inwards; the last is where one is
 * @property {{name: string, version: string} | null} [model] the model that what is shown came from
 * @property {any} [actions] buttons of this place
 */

/** @type {Place} */
let current = { where: [] };
/** @type {Set<(place: Place) => void>} */
const listeners = new Set();

/**
 * Says where one is while a component is shown, and what the window is called.
 * @param {Place} place @param {unknown[]} on what it depends on
 */
export function usePlace(place, on) {
  useEffect(() => {
    current = place;
    document.title = [...place.where.map((one) => one.text).reverse(), 'Einthoven'].join(' \u2013 ');
    for (const listener of listeners) listener(place);
  }, on);
}

/** The place that was said last. */
export function useCurrentPlace() {
  const [place, setPlace] = useState(current);
  useEffect(() => {
    listeners.add(setPlace);
    setPlace(current);
    return () => { listeners.delete(setPlace); };
  }, []);
  return place;
}
