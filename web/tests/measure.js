// How fast the page is, on this machine: `npm run measure`. Figures of one run are in README.md; nothing here passes or fails.
import { writeFile } from "node:fs/promises";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { wfdb } from "./browser/recordings.js";
import { Stage, choose, trace } from "./browser/stage.js";

const RUNS = 5;
const DAY_S = 86_400;
const PAN_MS = 3_000;

/** @param {number[]} values */
const middle = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

/** First paint of a visit whose browser has nothing kept, milliseconds. @param {Stage} stage */
async function firstPaint(stage) {
  const { page, close } = await stage.visit();
  await page.getByRole("button", { name: "Choose files" }).waitFor();
  const { paint, content } = await page.evaluate(() => Object.fromEntries(performance.getEntriesByType("paint").map((one) => [one.name === "first-paint" ? "paint" : "content", one.startTime])));
  const shown = await page.evaluate(() => performance.now());
  await close();
  return { paint, content, shown };
}

/**
 * Moves the paper with the pointer for some seconds; milliseconds between frames.
 * @param {import("playwright-core").Page} page @param {import("playwright-core").Locator} canvas
 */
async function pan(page, canvas) {
  const box = await canvas.boundingBox();
  if (!box) throw new Error("no trace");
  const y = box.y + box.height / 2;
  // Events come from within the page, one for each frame, as a hand gives them: the driver's own would wait for its answers.
  return page.evaluate(async ([left, top, wide, length]) => {
    const target = /** @type {HTMLElement} */ (document.querySelector("canvas[role=img]"));
    target.setPointerCapture = () => {};
    const event = (/** @type {string} */ type, /** @type {number} */ x) => target.dispatchEvent(new PointerEvent(type, { pointerId: 1, button: 0, buttons: 1, clientX: x, clientY: top, bubbles: true }));
    /** @type {number[]} */
    const frames = [];
    const start = performance.now();
    let last = start;
    event("pointerdown", left + wide * 0.9);
    await new Promise((resolve) => {
      const frame = () => {
        const now = performance.now();
        frames.push(now - last);
        last = now;
        if (now - start > length) { resolve(undefined); return; }
        event("pointermove", left + wide * (0.9 - 2 * ((now - start) / length)));
        requestAnimationFrame(frame);
      };
      requestAnimationFrame(frame);
    });
    event("pointerup", left);
    return frames;
  }, [box.x, y, box.width, PAN_MS]);
}

const stage = await Stage.open();
try {
  const visits = [];
  for (let run = 0; run < RUNS; run += 1) visits.push(await firstPaint(stage));
  console.log(`${cpus().length} cores, ${cpus()[0].model}; load ${loadavg()[0].toFixed(1)}; Chromium without GPU`);
  console.log(`first paint, ms: median ${middle(visits.map((one) => one.paint)).toFixed(0)} of ${visits.map((one) => one.paint.toFixed(0)).join(", ")}; first content ${middle(visits.map((one) => one.content)).toFixed(0)}; ready to drop ${middle(visits.map((one) => one.shown)).toFixed(0)}`);

  const { page, close } = await stage.visit();
  page.setDefaultTimeout(300_000);
  const sent = performance.now();
  await choose(page, await Promise.all(wfdb(DAY_S, null).map(async ({ name, buffer }) => {
    await writeFile(join(stage.data, name), buffer);
    return join(stage.data, name);
  })));
  const canvas = await trace(page);
  console.log(`24 h, one lead at 360 Hz: ${((performance.now() - sent) / 1000).toFixed(1)} s from the files to the trace`);
  for (const [where, go] of [["25 mm/s", async () => {}], ["12.5 mm/s", () => page.getByLabel("Speed").selectOption("12.5")], ["an hour in view", () => page.getByRole("button", { name: "Whole recording" }).click().then(() => canvas.focus()).then(async () => { for (let presses = 0; presses < 8; presses += 1) await page.keyboard.press("+"); })]]) {
    await /** @type {() => Promise<unknown>} */ (go)();
    await page.waitForLoadState("networkidle");
    const frames = (await pan(page, canvas)).slice(1);
    const total = frames.reduce((sum, one) => sum + one, 0);
    const late = frames.filter((one) => one > 25).length;
    console.log(`pan, ${where}: ${((1000 * frames.length) / total).toFixed(1)} frames a second over ${(total / 1000).toFixed(1)} s, median ${middle(frames).toFixed(1)} ms, longest ${Math.max(...frames).toFixed(0)} ms, ${late} of ${frames.length} late`);
  }
  await close();
} finally {
  await stage.close();
}
