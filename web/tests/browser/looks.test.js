// True to scale, readable, and usable by everybody.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { after, before, test } from "node:test";
import { accessible, fits } from "./sound.js";
import { Stage, choose, inked, shot, trace } from "./stage.js";

const PICTURE = process.env.EINTHOVEN_README_PICTURE;

/** @type {Stage} */
let stage;
before(async () => { stage = await Stage.open(); });
after(() => stage?.close());

for (const [gain, millimetres] of [[5, 5], [10, 10], [20, 20]]) {
  test(`at ${gain} mm/mV the calibration pulse is ${millimetres} mm high and 5 mm wide`, async () => {
    const { page, close } = await stage.visit({ deviceScaleFactor: 4, colorScheme: "light" });
    await page.getByRole("button", { name: "Normal rhythm" }).click();
    const canvas = await trace(page);
    await page.getByLabel("Gain").selectOption(String(gain));
    await page.waitForTimeout(100);
    const { ratio, columns } = await inked(canvas);
    const left = Number(await canvas.getAttribute("data-left"));
    const pulse = columns.slice(0, Math.round((left - 2) * ratio)).filter((column) => column !== null);
    const line = 1.25 * ratio;
    const millimetre = (96 / 25.4) * ratio;
    const top = Math.min(...pulse.map((column) => column.top));
    const height = Math.max(...pulse.map((column) => column.bottom)) - top + 1 - line;
    const wide = pulse.filter((column) => column.top === top).length - line;
    assert.ok(Math.abs(height / millimetre - millimetres) <= 0.2, `${height / millimetre} mm`);
    assert.ok(Math.abs(wide / millimetre - 5) <= 0.3, `${wide / millimetre} mm`);
    await close();
  });
}

/** @type {[string, import("playwright-core").BrowserContextOptions][]} */
const SCREENS = [
  ["light", { colorScheme: "light" }],
  ["dark", { colorScheme: "dark" }],
  ["narrow", { viewport: { width: 360, height: 740 } }],
  ["narrow-dark", { viewport: { width: 360, height: 740 }, colorScheme: "dark", reducedMotion: "reduce" }],
  // A window of 1280 x 800 zoomed to 200 %.
  ["zoomed", { viewport: { width: 640, height: 400 }, deviceScaleFactor: 2 }],
];
for (const [name, options] of SCREENS) {
  test(`${name}: the sign-in fits and axe has no serious finding`, async () => {
    const { page, close } = await stage.visit(options, false);
    await page.getByRole("button", { name: "Sign in" }).waitFor();
    await fits(page);
    await accessible(page);
    await shot(page, `sign-in-${name}`, true);
    await close();
  });

  test(`${name}: nothing is cut off and axe has no serious finding, before and after`, async () => {
    const { page, close } = await stage.visit(options);
    await page.getByRole("button", { name: "Ventricular ectopy" }).waitFor();
    const where = page.getByRole("navigation", { name: "Where you are" }).getByRole("listitem");
    assert.ok(await where.evaluate((item) => item.scrollWidth <= item.clientWidth), "the name of the room is cut off");
    await fits(page);
    await accessible(page);
    await shot(page, `visit-${name}`, true);
    await page.getByRole("button", { name: "Ventricular ectopy" }).click();
    await trace(page);
    await page.getByText("What these figures mean").click();
    await fits(page);
    await accessible(page);
    for (const tab of [/^Events/, "Templates", "About", /^Beats/]) {
      await page.getByRole("tab", { name: tab }).click();
      await page.waitForLoadState("networkidle");
      await fits(page);
    }
    await accessible(page);
    await shot(page, `result-${name}`, true);
    await close();
  });
}

test("rows of single beats are counted and listed, and their origin is said to be unknown", async () => {
  const { page, close } = await stage.visit();
  const shares = { N: 0.9, S: 0.05, V: 0.05, F: 0, Q: 0 };
  const json = {
    notice: "Research use only. Not for diagnosis.",
    recording: { name: "rows", format: "kaggle-rows", rows: 3, flags: [{ code: "origin_unknown", detail: "the origin of the rows is unknown" }] },
    model: { name: "rows", version: "1", digest: `sha256:${"0".repeat(64)}`, recipe: "kaggle-heartbeat-v1", engine: "tract", device: "cpu", labels: Object.keys(shares) },
    rows: ["N", "N", "V"].map((name, index) => ({ row: index + 1, class: name, probabilities: shares })),
    counts: { N: 2, S: 0, V: 1, F: 0, Q: 0 },
  };
  // Whether a server has a model for rows is its own matter; what the page makes of such an answer is tested here.
  await page.route("**/v1/recordings", (route) => route.fulfill({ json }));
  await choose(page, { name: "rows.csv", mimeType: "text/csv", buffer: Buffer.from("0,1\n") });
  await page.getByRole("heading", { name: "rows" }).waitFor();
  await page.getByText(/origin/i).first().waitFor();
  assert.equal(await page.getByRole("table").getByRole("row").count(), 4);
  await shot(page, "rows");
  await accessible(page);
  await close();
});

test("the picture for the README is made from the running product", async () => {
  const { page, close } = await stage.visit({ viewport: { width: 1360, height: 860 }, colorScheme: "light" });
  const whole = ["200.hea", "200.dat"].map((name) => fileURLToPath(new URL(`../../../../shared/data/mitdb/${name}`, import.meta.url)));
  if (whole.every((path) => existsSync(path))) await choose(page, whole);
  else await page.getByRole("button", { name: "Ventricular ectopy" }).click();
  const canvas = await trace(page);
  await canvas.focus();
  await page.keyboard.press("PageDown");
  await page.waitForTimeout(400);
  await canvas.blur();
  const picture = await page.screenshot({ path: PICTURE });
  // Width and height as the head of a PNG has them.
  assert.deepEqual([picture.readUInt32BE(16), picture.readUInt32BE(20)], [1360, 860]);
  await close();
});

test("each room is entered by the rail, and the finder leads to a recording", async () => {
  const { page, close } = await stage.visit();
  for (const room of ["Compare", "Access", "Recordings"]) {
    await page.getByRole("navigation", { name: "Rooms" }).getByRole("link", { name: room }).click();
    await page.getByRole("navigation", { name: "Where you are" }).getByText(room).waitFor();
    await page.waitForLoadState("networkidle");
    await accessible(page);
    await shot(page, `room-${room.toLowerCase()}`);
  }
  await page.getByRole("button", { name: "Normal rhythm" }).click();
  await trace(page);
  await page.getByRole("link", { name: "Compare" }).click();
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox").fill("100s");
  await page.getByRole("option", { name: /100s/ }).first().click();
  await trace(page);
  await close();
});
