// A canvas that is drawn anew when its size, the colour scheme or what it shows changes.

import { useLayoutEffect, useRef, useState } from '../../view.js';

/**
 * @param {(context: CanvasRenderingContext2D, width: number, height: number, element: HTMLCanvasElement) => void} draw
 * @param {unknown[]} inputs what the drawing depends on
 * @returns {[{current: HTMLCanvasElement | null}, {width: number, height: number}]} the canvas and its size in CSS pixels
 */
export function useCanvas(draw, inputs) {
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const [size, setSize] = useState({ width: 800, height: 0 });
  const [scheme, setScheme] = useState(0);
  useLayoutEffect(() => {
    const element = canvas.current;
    if (!element) return undefined;
    const observer = new ResizeObserver(() => setSize({ width: element.clientWidth, height: element.clientHeight }));
    observer.observe(element);
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const repaint = () => setScheme((/** @type {number} */ count) => count + 1);
    dark.addEventListener('change', repaint);
    return () => { observer.disconnect(); dark.removeEventListener('change', repaint); };
  }, []);
  useLayoutEffect(() => {
    const element = canvas.current;
    const context = element?.getContext('2d');
    if (!element || !context || !element.clientWidth) return;
    const ratio = devicePixelRatio || 1;
    element.width = Math.round(element.clientWidth * ratio);
    element.height = Math.round(element.clientHeight * ratio);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    draw(context, element.clientWidth, element.clientHeight, element);
  }, [...inputs, size, scheme]);
  return [canvas, size];
}
