// What cannot be read, and hour by hour what a long recording holds: to the eye, and to who hears the page.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { torn } from "./recordings.js";
import { sound } from "./rooms.js";
import { Stage, choose, trace } from "./stage.js";

/** @type {Stage} */
let stage;
before(async () => { stage = await Stage.open(); });
after(() => stage?.close());

/** Share of the pixels between two times that have the grey of the hatching. @param {import("playwright-core").Locator} canvas @param {number} from @param {number} to */
async function hatched(canvas, from, to) {
  const [left, start, visible] = await Promise.all(["data-left", "data-from", "data-visible"].map(async (name) => Number(await canvas.getAttribute(name))));
  return canvas.evaluate((element, [left, start, visible, from, to]) => {
    const picture = /** @type {HTMLCanvasElement} */ (element);
    const ratio = picture.width / picture.clientWidth;
    const at = (/** @type {number} */ time) => Math.round(ratio * (left + ((time - start) / visible) * (picture.clientWidth - left)));
    // Below the letters and above the trace.
    const [top, tall] = [Math.round(40 * ratio), Math.round(60 * ratio)];
    const { data } = /** @type {CanvasRenderingContext2D} */ (picture.getContext("2d")).getImageData(at(from), top, at(to) - at(from), tall);
    let grey = 0;
    for (let i = 0; i < data.length; i += 4) if (Math.max(data[i], data[i + 1], data[i + 2]) - Math.min(data[i], data[i + 1], data[i + 2]) < 14 && data[i] < 215) grey += 1;
    return grey / (data.length / 4);
  }, [left, start, visible, from, to]);
}

test("a span that cannot be read is hatched, said, and listed, and no beat in it has a class", async () => {
  const { page, close } = await stage.visit({ colorScheme: "light" });
  await choose(page, torn(60, 20, 40));
  const canvas = await trace(page);
  assert.ok(!(await canvas.getAttribute("aria-label"))?.includes("unreadable"), "nothing of it is in view at first");
  await page.getByRole("button", { name: "Whole recording" }).click();
  await page.waitForLoadState("networkidle");
  const [inside, outside] = [await hatched(canvas, 24, 36), await hatched(canvas, 2, 14)];
  assert.ok(inside > 0.08 && inside > 3 * outside, `grey: ${inside} within, ${outside} beside it`);
  // Who hears the page hears the same, of what is in view.
  const said = /unreadable 0:(\d\d) to 0:(\d\d) \(flat[^)]*\)/;
  const [, from, to] = said.exec(String(await canvas.getAttribute("aria-label"))) ?? [];
  assert.ok(Math.abs(Number(from) - 20) <= 1 && Math.abs(Number(to) - 40) <= 1, `${from} to ${to}`);
  await page.getByRole("region", { name: "Trace" }).getByRole("status").filter({ hasText: said }).waitFor();
  assert.match(await page.getByRole("group", { name: "Result at a glance" }).innerText(), /Unreadable\s+(19|20|21)\u2009s\s+3\d\.\d\u2009%/);
  await sound(page, "unreadable");
  // It is in the list of what happened, which leads there.
  await page.getByRole("tab", { name: /^Events/ }).click();
  await page.getByRole("list", { name: "Events" }).getByRole("button", { name: /unreadable .*flat/ }).click();
  assert.match(String(await canvas.getAttribute("aria-label")), said);
  await page.getByRole("tab", { name: /^Beats/ }).click();
  const times = await page.getByRole("table").filter({ hasText: "Probability" }).getByRole("row").getByRole("button").allInnerTexts();
  assert.ok(times.length > 40 && !times.some((time) => /^0:(2[2-9]|3[0-8])/.test(time)), times.join(" "));
  await close();
});

test("hour by hour a long recording shows its rate, its ectopic beats and what cannot be read", async () => {
  const { page, close } = await stage.visit();
  await choose(page, torn(7500, 4000, 4120));
  const canvas = await trace(page);
  await page.getByRole("tab", { name: "Hours" }).click();
  const table = page.getByRole("table", { name: "Hour by hour, from the beginning of the recording" });
  const rows = await table.getByRole("row").allInnerTexts();
  assert.equal(rows.length, 4);
  // A beat every 0.8 s are 75 a minute.
  assert.match(rows[1], /^0:00\s+75\s+0\s+0\s+0$/);
  assert.match(rows[2], /^1:00:00\s+75\s+\d+\s+\d+\s+2\.\d\u2009min$/);
  assert.match(rows[3], /^2:00:00\s+75\s/);
  await sound(page, "hours");
  await table.getByRole("button", { name: "1:00:00" }).click();
  const [from, visible] = [Number(await canvas.getAttribute("data-from")), Number(await canvas.getAttribute("data-visible"))];
  assert.ok(from <= 3600 && 3600 < from + visible, `${from} to ${from + visible}`);
  await close();
});
