// Reading a recording: true scale, layouts, calipers, beats and what readers say about them, templates, printing.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { pages, polylines } from "./pdf.js";
import { resting, wfdb } from "./recordings.js";
import { Stage, choose, inked, shot, trace } from "./stage.js";

/** @type {Stage} */
let stage;
before(async () => { stage = await Stage.open(); });
after(() => stage?.close());

test("after the screen is calibrated with a card the pulse measures ten millimetres of it", async () => {
  const { page, close } = await stage.visit({ deviceScaleFactor: 4, colorScheme: "light" });
  await page.getByRole("button", { name: "Normal rhythm" }).click();
  await trace(page);
  await page.getByRole("button", { name: "Calibrate screen" }).click();
  const dialogue = page.getByRole("dialog", { name: "Calibrate this screen" });
  // A screen with 5 pixels a millimetre shows a card of 85.6 mm 428 pixels wide.
  await dialogue.getByLabel("Exactly, in pixels").fill("428");
  await dialogue.getByLabel("Exactly, in pixels").press("Tab");
  const card = await dialogue.getByRole("img", { name: "A card to compare with" }).boundingBox();
  assert.ok(Math.abs((card?.width ?? 0) - 430) <= 1, `${card?.width} pixels, with its outline`);
  await shot(page, "calibrate");
  await dialogue.getByRole("button", { name: "Keep this scale" }).click();
  await page.reload();
  const canvas = await trace(page);
  await page.getByRole("button", { name: "Calibrated" }).waitFor();
  await page.waitForLoadState("networkidle");
  const { ratio, columns } = await inked(canvas);
  const left = Number(await canvas.getAttribute("data-left"));
  const pulse = columns.slice(0, Math.round((left - 2) * ratio)).filter((column) => column !== null);
  const height = (Math.max(...pulse.map((column) => column.bottom)) - Math.min(...pulse.map((column) => column.top)) + 1) / ratio - 1.25;
  assert.ok(Math.abs(height / 5 - 10) <= 0.2, `${height / 5} mm`);
  await close();
});

test("a resting ECG opens as 3 x 4 with a rhythm strip, and has the other layouts", async () => {
  const { page, close } = await stage.visit();
  await choose(page, resting());
  const canvas = await trace(page);
  assert.match(await canvas.getAttribute("aria-label") ?? "", /3 × 4 \+ rhythm/);
  await shot(page, "layout-3x4", true);
  for (const [name, file] of [["6 × 2", "layout-6x2"], ["12 × 1", "layout-12x1"], ["Rhythm strip", "layout-strip"]]) {
    await page.getByLabel("Layout").selectOption({ label: name });
    await page.waitForLoadState("networkidle");
    const { columns } = await inked(canvas);
    assert.ok(columns.filter((column) => column !== null).length > columns.length / 2, `${name}: the trace is drawn`);
    await shot(page, file);
  }
  await close();
});

test("calipers measure an RR interval of 800 ms, by keys and by mouse", async () => {
  const { page, close } = await stage.visit();
  await choose(page, wfdb(20, null));
  const canvas = await trace(page);
  await canvas.focus();
  await page.keyboard.press("Enter");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("c");
  const measured = page.getByRole("status", { name: "Calipers" });
  const milliseconds = async () => Number(/(\d+)\u2009ms/.exec(await measured.innerText())?.[1]);
  const millivolts = async () => Number(/([\d.]+)\u2009mV/.exec(await measured.innerText())?.[1]);
  assert.ok(Math.abs((await milliseconds()) - 800) <= 2, await measured.innerText());
  assert.match(await measured.innerText(), /75\u2009\/min/);
  assert.ok(Math.abs((await millivolts()) - 1) <= 0.05, await measured.innerText());
  await shot(page, "calipers");
  // Ten samples of 1/360 s on.
  await page.keyboard.press("Shift+ArrowRight");
  assert.ok(Math.abs((await milliseconds()) - 828) <= 2, await measured.innerText());
  // By mouse the legs are drawn to the peaks near them; beats stand at 0.4 s and every 0.8 s.
  const box = await canvas.boundingBox();
  assert.ok(box);
  const x = (/** @type {number} */ time) => box.x + left + time * 25 * (96 / 25.4);
  const left = Number(await canvas.getAttribute("data-left"));
  await page.mouse.move(x(4.4) + 5, box.y + 100);
  await page.mouse.down();
  await page.mouse.move(x(5.2) - 6, box.y + 100 + 10 * (96 / 25.4), { steps: 4 });
  await page.mouse.up();
  assert.ok(Math.abs((await milliseconds()) - 800) <= 2, await measured.innerText());
  assert.ok(Math.abs((await millivolts()) - 1) <= 0.03, await measured.innerText());
  await canvas.press("Escape");
  await measured.waitFor({ state: "detached" });
  await close();
});

/**
 * A page whose sample recording is in the journal, and what it says there.
 * @param {import("playwright-core").BrowserContextOptions} [options]
 */
async function journalled(options) {
  const { page, close } = await stage.visit(options);
  /** @type {any[]} */
  const said = [];
  await page.route("**/v1/samples/*", async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: { ...(await answer.json()), prediction: "01938f6e-7a3b-7c10-8d55-0d3c2b1a0f9e" } });
  });
  await page.route("**/v1/predictions/*/labels", async (route) => {
    if (route.request().method() === "GET") return route.fulfill({ json: { items: [], next: null, beats: [], agreement: { pairs: [], fleiss: null } } });
    said.push({ ...route.request().postDataJSON(), key: route.request().headers()["idempotency-key"] });
    return route.fulfill({ status: 201, json: { prediction: "01938f6e-7a3b-7c10-8d55-0d3c2b1a0f9e", reader: "user:ana", key: "k", new: 1, repeated: 0 } });
  });
  await page.getByRole("button", { name: "Ventricular ectopy" }).click();
  return { page, close, said, canvas: await trace(page) };
}

test("a beat is selected and relabelled by keys, and the label taken back", async () => {
  const { page, close, said, canvas } = await journalled();
  await canvas.focus();
  await page.keyboard.press("Enter");
  await page.keyboard.press("ArrowRight");
  const beat = page.getByRole("group", { name: "Selected beat" });
  assert.match(await beat.innerText(), /normal\s+at 0:01/);
  await page.keyboard.press("v");
  await page.getByText("Relabelled as V").waitFor();
  assert.match(await beat.innerText(), /ventricular\s+at 0:01[^]*the model said N/);
  await page.getByText("1 beat relabelled; figures are the model's").waitFor();
  await shot(page, "relabelled");
  await page.keyboard.press("u");
  await page.getByText("Undone").waitFor();
  assert.match(await beat.innerText(), /normal\s+at 0:01/);
  assert.deepEqual(said.map((one) => one.marks.map((/** @type {any} */ mark) => [mark.is, mark.class])), [[["class", "V"]], [["withdrawn", undefined]]]);
  assert.ok(said.every((one) => one.source === "page" && one.key), "each has a key of its own");
  await close();
});

test("a beat is selected by a click, and a label that is refused is not kept", async () => {
  const { page, close, canvas } = await journalled();
  await page.route("**/v1/predictions/*/labels", (route) => route.fulfill({ status: 403, json: { type: "/problems/missing_scope", title: "missing scope", status: 403, detail: "this needs the scope `label`" } }));
  const left = Number(await canvas.getAttribute("data-left"));
  const { beats } = await page.evaluate(async () => (await fetch(`/v1/recordings/${location.hash.split("/").pop()}`)).json());
  const normal = beats.find((/** @type {any} */ one) => one.class === "N");
  await canvas.click({ position: { x: left + normal.time_s * 25 * (96 / 25.4) + 4, y: 120 } });
  const beat = page.getByRole("group", { name: "Selected beat" });
  await beat.getByText("normal").first().waitFor();
  await beat.getByRole("button", { name: "Relabel as S, supraventricular" }).click();
  await page.getByText("Not saved: this needs the scope `label`").waitFor();
  assert.equal(await page.getByRole("button", { name: "Undo" }).count(), 0);
  assert.match(await beat.innerText(), /normal\s+at/);
  await close();
});

test("without a journal nothing can be relabelled, and nothing offers it", async () => {
  const { page, close } = await stage.visit();
  await page.route("**/v1/samples/*", async (route) => {
    const answer = await route.fetch();
    const { prediction: _, ...json } = await answer.json();
    await route.fulfill({ response: answer, json });
  });
  await page.getByRole("button", { name: "Ventricular ectopy" }).click();
  const canvas = await trace(page);
  await canvas.focus();
  await page.keyboard.press("Enter");
  const beat = page.getByRole("group", { name: "Selected beat" });
  const before = await beat.innerText();
  await page.keyboard.press("s");
  assert.equal(await beat.innerText(), before);
  assert.equal(await page.getByRole("button", { name: /^Relabel as/ }).count(), 0);
  await close();
});

test("beats are grouped by shape, and a whole group is relabelled at once", async () => {
  const { page, close, said } = await journalled();
  await page.getByRole("tab", { name: "Templates" }).click();
  const templates = page.getByRole("list", { name: "Templates" }).getByRole("button", { name: /^Template/ });
  await templates.first().waitFor();
  const names = await templates.evaluateAll((buttons) => buttons.map((button) => button.getAttribute("aria-label") ?? ""));
  const sizes = names.map((name) => Number(/: (\d+) beat/.exec(name)?.[1]));
  assert.deepEqual(sizes, [...sizes].sort((a, b) => b - a));
  const ventricular = names.find((name) => /: \d\d+ beats, \d+ V/.test(name));
  assert.ok(ventricular, `one of ${names.join("; ")} holds most V beats`);
  await templates.filter({ hasText: /./ }).nth(names.indexOf(ventricular)).click();
  const size = sizes[names.indexOf(ventricular)];
  await shot(page, "templates", true);
  await page.getByRole("button", { name: `Relabel all ${size} as F, fusion` }).click();
  await page.getByText(`${size} beats relabelled as F`).waitFor();
  assert.equal(said[0].marks.length, size);
  await page.getByRole("button", { name: "Undo" }).click();
  await page.getByText("Undone").waitFor();
  await close();
});

test("events stand in order of severity and lead to the trace", async () => {
  const { page, close } = await stage.visit();
  await page.getByRole("button", { name: "Ventricular ectopy" }).click();
  const canvas = await trace(page);
  await page.getByRole("tab", { name: /^Events/ }).click();
  const events = page.getByRole("list", { name: "Events" }).getByRole("button");
  const texts = await events.allInnerTexts();
  const order = texts.map((text) => ["look first", "look next", "the rest"].findIndex((level) => text.startsWith(level)));
  assert.deepEqual(order, [...order].sort());
  await shot(page, "events", true);
  await events.last().click();
  assert.ok(Number(await canvas.getAttribute("data-from")) > 0);
  await close();
});

test("the brush on the tachogram and the keys on the histogram", async () => {
  const { page, close } = await stage.visit();
  await page.getByRole("button", { name: "Normal rhythm" }).click();
  const canvas = await trace(page);
  const tachogram = page.getByRole("img", { name: /^RR intervals/ });
  await tachogram.scrollIntoViewIfNeeded();
  const box = await tachogram.boundingBox();
  assert.ok(box);
  await page.mouse.move(box.x + 0.4 * box.width, box.y + 40);
  await page.mouse.down();
  await page.mouse.move(box.x + 0.6 * box.width, box.y + 60, { steps: 4 });
  await page.mouse.up();
  await page.waitForFunction((element) => Math.abs(Number(element?.getAttribute("data-visible")) - 64) < 8, await canvas.elementHandle());
  const histogram = page.getByRole("img", { name: /^Histogram of the heart rate/ });
  await histogram.focus();
  await page.keyboard.press("End");
  await page.getByText(/\/min: \d+ intervals?, /).waitFor();
  await close();
});

test("the printed page is A4 at true scale and says what made it", async () => {
  const { page, close } = await stage.visit();
  await page.getByRole("button", { name: "Ventricular ectopy" }).click();
  await trace(page);
  await page.evaluate(() => { window.print = () => { document.body.dataset.printed = "1"; }; });
  await page.getByRole("button", { name: "PDF or print" }).click();
  await page.waitForFunction(() => document.body.dataset.printed);
  await page.emulateMedia({ media: "print" });
  const sheet = page.getByRole("region", { name: "Page to print" });
  const pulse = await sheet.locator(".pulse").first().evaluate((path) => {
    const box = /** @type {SVGGraphicsElement} */ (path).getBBox();
    const scale = /** @type {SVGGraphicsElement} */ (path).ownerSVGElement?.getScreenCTM()?.a ?? 0;
    return { tall: (box.height * scale) / (96 / 25.4), wide: ((box.width - 2) * scale) / (96 / 25.4) };
  });
  assert.ok(Math.abs(pulse.tall - 10) <= 0.1 && Math.abs(pulse.wide - 5) <= 0.1, JSON.stringify(pulse));
  const text = await sheet.innerText();
  for (const part of [/Research use only/, /heartbeat 1\.0\.0/, /[0-9a-f]{64}/, /recipe /, /25\u2009mm\/s, 10\u2009mm\/mV/]) assert.match(text, part);
  const pdf = await page.pdf({ preferCSSPageSize: true, printBackground: true });
  const [sheetSize, ...further] = pages(pdf);
  assert.equal(further.length, 0, "one page");
  assert.ok(Math.abs(sheetSize.wide - 297) < 0.5 && Math.abs(sheetSize.tall - 210) < 0.5, JSON.stringify(sheetSize));
  // The calibration pulse as it lies in the file: one up, along, down, with a foot of a millimetre on both sides.
  const pulses = polylines(pdf).filter((line) => line.length === 6 && Math.abs(line[5][1] - line[0][1]) < 0.01 && Math.abs(line[2][1] - line[1][1]) > 1);
  assert.ok(pulses.length >= 1, "a pulse");
  for (const line of pulses) {
    const [tall, wide] = [Math.abs(line[2][1] - line[1][1]), line[3][0] - line[2][0]];
    assert.ok(Math.abs(tall - 10) <= 0.2 && Math.abs(wide - 5) <= 0.2, `1 mV measures ${tall} mm, 200 ms ${wide} mm`);
  }
  await page.setViewportSize({ width: 1047, height: 718 });
  await shot(page, "printed");
  await close();
});

test("beats can be taken away as CSV, with what made them", async () => {
  const { page, close } = await stage.visit();
  await page.getByRole("button", { name: "Normal rhythm" }).click();
  await trace(page);
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Beats (CSV)" }).click()]);
  const lines = (await readFile(String(await download.path()), "utf8")).split("\r\n");
  assert.match(lines[0], /^sample,time_s,class,label,quality,p_N,/);
  assert.match(lines[1], /^\d+,[\d.]+,N,,\w+,[\d.]+,.*,heartbeat,1\.0\.0,(sha256:)?[0-9a-f]{64}$/);
  await close();
});
