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
    const [width, height] = [element.clientWidth, element.clientHeight];
    const [wide, tall] = [Math.round(width * ratio), Math.round(height * ratio)];
    // Another size is another bitmap, which costs more than a frame may.
    if (element.width !== wide) element.width = wide;
    if (element.height !== tall) element.height = tall;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    draw(context, width, height, element);
  }, [...inputs, size, scheme]);
  return [canvas, size];
}

/**
 * What stays the same from frame to frame, drawn once and then copied.
 * @returns {(context: CanvasRenderingContext2D, wide: number, tall: number, key: unknown[], draw: (context: CanvasRenderingContext2D) => void, left?: number, top?: number) => void}
 *   draws anew where `key` or the size (in CSS pixels) is another one, and copies it to `left` and `top`
 */
export function useStill() {
  const kept = useRef(/** @type {{key: unknown[], picture: HTMLCanvasElement} | null} */ (null));
  return (context, wide, tall, key, draw, left = 0, top = 0) => {
    const ratio = devicePixelRatio || 1;
    const whole = [...key, wide, tall, ratio];
    if (!kept.current || whole.some((one, at) => one !== kept.current?.key[at])) {
      const picture = kept.current?.picture ?? document.createElement('canvas');
      picture.width = Math.ceil(wide * ratio);
      picture.height = Math.ceil(tall * ratio);
      const still = picture.getContext('2d');
      if (!still) return;
      still.setTransform(ratio, 0, 0, ratio, 0, 0);
      draw(still);
      kept.current = { key: whole, picture };
    }
    context.drawImage(kept.current.picture, left, top, Math.ceil(wide * ratio) / ratio, Math.ceil(tall * ratio) / ratio);
  };
}
