// The one place that knows which library draws the page.

import { h } from '../vendor/preact.mjs';
import htm from '../vendor/htm.mjs';

export { render } from '../vendor/preact.mjs';
export { useCallback, useErrorBoundary, useId, useMemo, useEffect, useLayoutEffect, useRef, useState } from '../vendor/hooks.mjs';

/**
 * What a field of a form tells: a select and a text area have the same `value`.
 * @typedef {Event & {target: HTMLInputElement, currentTarget: HTMLInputElement}} FieldEvent
 */

/** Markup as a tagged template. */
export const html = htm.bind(h);
