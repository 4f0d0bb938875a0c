// What comes from the server, in its four states: on its way, there, refused, and there but no longer fresh.

import { html, useCallback, useEffect, useRef, useState } from '../view.js';
import { Refusal } from '../api.js';
import { Said } from './said.js';
import { Time } from './time.js';

/**
 * @template T
 * @typedef {{value: T | null, problem: import('../api.js').ProblemDocument | null, at: number, again: () => Promise<void>}} Loaded
 */

/**
 * Asks now, whenever `on` changes, and every `every` milliseconds while the window is seen. What was there stays until
 * there is something newer.
 * @template T
 * @param {(signal: AbortSignal) => Promise<T>} ask @param {unknown[]} on @param {number} [every]
 * @returns {Loaded<T>}
 */
export function useLoaded(ask, on, every) {
  const [state, setState] = useState(/** @type {{value: T | null, problem: import('../api.js').ProblemDocument | null, at: number}} */ ({ value: null, problem: null, at: 0 }));
  const asked = useRef(ask);
  asked.current = ask;
  const under = useRef(/** @type {AbortController | null} */ (null));
  const again = useCallback(async () => {
    under.current?.abort();
    const stop = new AbortController();
    under.current = stop;
    try {
      const value = await asked.current(stop.signal);
      if (!stop.signal.aborted) setState({ value, problem: null, at: Date.now() });
    } catch (cause) {
      if (stop.signal.aborted) return;
      if (!(cause instanceof Refusal)) throw cause;
      const { problem } = cause;
      setState((/** @type {any} */ was) => ({ ...was, problem }));
    } finally {
      if (under.current === stop) under.current = null;
    }
  }, []);
  useEffect(() => {
    setState({ value: null, problem: null, at: 0 });
    again();
    return () => under.current?.abort();
  }, on);
  useEffect(() => {
    if (!every) return undefined;
    // What is slow to answer is not asked again before it has.
    const timer = setInterval(() => { if (!document.hidden && !under.current) again(); }, every);
    return () => clearInterval(timer);
  }, [every, ...on]);
  return { ...state, again };
}

/** Grey bars in the shape of what is to come. @param {{rows?: number}} properties */
export const Skeleton = ({ rows = 3 }) => html`<div class="bars" role="status" aria-label="Loading">${Array.from({ length: rows }, (_, index) => html`<div key=${index}></div>`)}</div>`;

/**
 * One of the four states, and below it what is there.
 * @template T
 * @param {{of: Loaded<T>, rows?: number, empty?: any, isEmpty?: (value: T) => boolean, children: (value: T) => any}} properties
 */
export function Shown({ of, rows, empty, isEmpty, children }) {
  if (of.value === null) return of.problem ? html`<${Said} problem=${of.problem} retry=${of.again} />` : html`<${Skeleton} rows=${rows} />`;
  return html`${of.problem && html`<div class="stale" role="status"><span><strong>Not fresh.</strong> This was so <${Time} at=${new Date(of.at).toISOString()} />: ${of.problem.detail}</span>
      <button type="button" onClick=${of.again}>Try again now</button></div>`}
    ${isEmpty?.(of.value) ? empty : children(of.value)}`;
}

/** Whether a list has nothing. @param {{items: unknown[]}} list */
export const none = ({ items }) => items.length === 0;

/** One sentence and one thing to do. @param {{children: any, action?: any}} properties */
export const Empty = ({ children, action }) => html`<div class="empty"><p>${children}</p>${action}</div>`;
