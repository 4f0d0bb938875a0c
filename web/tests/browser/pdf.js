// What a browser drew into a PDF: its pages and polylines, in millimetres. Enough of the format for what Chromium writes.
import { inflateSync } from "node:zlib";

const MM = 25.4 / 72;

/** @typedef {[number, number, number, number, number, number]} Matrix */

/** First `a`, then `b`. @param {Matrix} a @param {Matrix} b @returns {Matrix} */
const after = (a, b) => [
  a[0] * b[0] + a[1] * b[2], a[0] * b[1] + a[1] * b[3], a[2] * b[0] + a[3] * b[2], a[2] * b[1] + a[3] * b[3],
  a[4] * b[0] + a[5] * b[2] + b[4], a[4] * b[1] + a[5] * b[3] + b[5],
];

/** Wide and high of every page. @param {Buffer} pdf @returns {{wide: number, tall: number}[]} */
export const pages = (pdf) => [...pdf.toString("latin1").matchAll(/\/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]/g)].map(([, wide, tall]) => ({ wide: Number(wide) * MM, tall: Number(tall) * MM }));

/** The text of streams that hold drawing. @param {Buffer} pdf */
function contents(pdf) {
  const found = [];
  for (let at = pdf.indexOf("stream\n"); at >= 0; at = pdf.indexOf("stream\n", at + 7)) {
    if (pdf.subarray(at - 3, at).toString("latin1") === "end") continue;
    const end = pdf.indexOf("endstream", at);
    try {
      const text = inflateSync(pdf.subarray(at + 7, end)).toString("latin1");
      if (/ l\n/.test(text)) found.push(text);
    } catch {
      // A picture, a font, or not compressed.
    }
  }
  return found;
}

/** Every line of straight pieces, as points in millimetres from the lower left corner. @param {Buffer} pdf */
export function polylines(pdf) {
  /** @type {[number, number][][]} */
  const lines = [];
  for (const text of contents(pdf)) {
    /** @type {Matrix} */
    let matrix = [1, 0, 0, 1, 0, 0];
    /** @type {Matrix[]} */
    const kept = [];
    /** @type {number[]} */
    let operands = [];
    for (const [word] of text.matchAll(/\S+/g)) {
      if (/^[-+.\d]/.test(word)) {
        operands.push(Number(word));
        continue;
      }
      const [x, y] = operands.slice(-2);
      if (word === "q") kept.push(matrix);
      else if (word === "Q") matrix = kept.pop() ?? matrix;
      else if (word === "cm") matrix = after(/** @type {any} */ (operands.slice(-6)), matrix);
      else if (word === "m" || word === "l") {
        const [, , , , left, up] = after([1, 0, 0, 1, x, y], matrix);
        if (word === "m") lines.push([]);
        lines.at(-1)?.push([left * MM, up * MM]);
      }
      operands = [];
    }
  }
  return lines;
}
