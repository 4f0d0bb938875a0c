// From files to beats and back, as a person goes through it.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { bareCsv, wfdb } from "./recordings.js";
import { Stage, choose, inked, record, shot, trace } from "./stage.js";

/** @type {Stage} */
let stage;
before(async () => { stage = await Stage.open(); });
after(() => stage?.close());

test("the first visit offers one place for files and three samples, each of which opens", async () => {
  const { page, close } = await stage.visit();
  const samples = page.getByRole("list", { name: "Sample recordings" }).getByRole("button");
  await samples.first().waitFor();
  await shot(page, "first-visit");
  const titles = await samples.evaluateAll((buttons) => buttons.map((button) => button.querySelector("strong")?.textContent ?? ""));
  assert.equal(titles.length, 3);
  for (const title of titles) {
    await page.getByRole("button", { name: title }).click();
    await trace(page);
    await shot(page, `sample-${title.toLowerCase().replaceAll(" ", "-")}`, true);
    await page.getByRole("button", { name: "Open another recording" }).click();
  }
  await close();
});

test("record 100 dropped as header and signal file shows its beats", async () => {
  const { page, close } = await stage.visit();
  const files = await Promise.all(["100s.hea", "100s.dat"].map(async (name) => ({ name, text: (await import("node:fs")).readFileSync(record(name)).toString("base64") })));
  const data = await page.evaluateHandle((given) => {
    const transfer = new DataTransfer();
    for (const { name, text } of given) transfer.items.add(new File([Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))], name));
    return transfer;
  }, files);
  // The samples are there once the page listens to what is dropped.
  await page.getByRole("list", { name: "Sample recordings" }).getByRole("button").first().waitFor();
  await page.getByText("Drop the files of one recording here").dispatchEvent("drop", { dataTransfer: data });
  const canvas = await trace(page);
  // 100 holds 371 reference beats in its first five minutes; 33 of 2,273 in the whole record are atrial premature.
  const said = await page.getByRole("group", { name: "Result at a glance" }).innerText();
  const beats = Number(/Beats\s+(\d+)/.exec(said)?.[1]);
  assert.ok(Math.abs(beats - 371) <= 3, `${beats} beats`);
  assert.match(said, /heartbeat/);
  assert.match(await canvas.getAttribute("aria-label") ?? "", /\d+ beats/);
  await page.getByText("Research use only. Not for diagnosis.").first().waitFor();
  await close();
});

test("the address names the recording: reload and back work", async () => {
  const { page, close } = await stage.visit();
  await page.getByRole("button", { name: "Normal rhythm" }).click();
  await trace(page);
  await page.reload();
  await trace(page);
  await page.goBack();
  await page.getByRole("button", { name: "Choose files" }).waitFor();
  // What is kept is listed where one begins, and opened from there.
  const kept = page.getByRole("table", { name: "Recordings that are kept" }).getByRole("row", { name: /^100s 5\.0.min MLII \d+ just now/ }).first();
  await kept.getByRole("link", { name: "100s" }).click();
  await trace(page);
  await close();
});

test("annotations and the document can be taken away", async () => {
  const { page, close } = await stage.visit();
  await page.getByRole("button", { name: "Normal rhythm" }).click();
  await trace(page);
  for (const [link, name] of [["Annotations (WFDB)", /\.ein$/], ["Result (JSON)", /\.json$/], ["FHIR (R4)", /\.fhir\.json$/]]) {
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: link }).click()]);
    assert.match(download.suggestedFilename(), /** @type {RegExp} */ (name));
    if (link !== "FHIR (R4)") continue;
    const bundle = JSON.parse(await readFile(String(await download.path()), "utf8"));
    const kinds = bundle.entry.map((/** @type {any} */ one) => one.resource.resourceType);
    assert.deepEqual([bundle.resourceType, kinds[0], kinds[1]], ["Bundle", "DiagnosticReport", "Device"]);
  }
  await close();
});

test("what a file does not say is asked for, and the same files are read with the answer", async () => {
  const { page, close } = await stage.visit();
  await choose(page, bareCsv());
  const alert = page.getByRole("alert");
  await alert.waitFor();
  assert.match(await alert.innerText(), /sampling rate/i);
  assert.doesNotMatch(await alert.innerText(), /parameter|flag/, "a form asks for it, so nobody is told how programs give it");
  await shot(page, "missing-rate");
  await page.getByLabel("Sampling rate").fill("360");
  await page.getByLabel("Unit of the samples").selectOption("mV");
  await page.getByRole("button", { name: "Read the recording" }).click();
  const canvas = await trace(page);
  assert.match(await canvas.getAttribute("aria-label") ?? "", /of 0:30/);
  await close();
});

test("a refusal is shown in the server's words", async () => {
  const { page, close } = await stage.visit();
  const file = { name: "letter.txt", mimeType: "text/plain", buffer: Buffer.from("Dear colleague,\nthank you for your letter.\n") };
  const [answer] = await Promise.all([page.waitForResponse((response) => response.url().endsWith("/v1/recordings") && response.request().method() === "POST"), choose(page, file)]);
  const { detail } = await answer.json();
  assert.ok(answer.status() >= 400 && answer.status() < 500);
  const shown = await page.getByRole("alert").innerText();
  assert.ok(shown.toLowerCase().includes(detail.toLowerCase()), `${shown} / ${detail}`);
  await shot(page, "refusal");
  await page.getByRole("button", { name: "Choose other files" }).click();
  await page.getByRole("alert").waitFor({ state: "detached" });
  await close();
});

test("a lost connection is said, and the same files are sent again when the server is back", async () => {
  const { page, close } = await stage.visit();
  await page.getByRole("list", { name: "Sample recordings" }).getByRole("button").first().waitFor();
  await stage.stopServer();
  await choose(page, wfdb(20, null));
  await page.getByText(/Trying again in/).waitFor();
  await shot(page, "lost-connection");
  await stage.startServer();
  await trace(page);
  await close();
});

test("the keyboard alone moves through the recording", async () => {
  const { page, close } = await stage.visit();
  await page.getByRole("button", { name: "Normal rhythm" }).focus();
  await page.keyboard.press("Enter");
  const canvas = await trace(page);
  const from = async () => Number(await canvas.getAttribute("data-from"));
  const visible = Number(await canvas.getAttribute("data-visible"));
  for (let presses = 0; presses < 20 && !(await canvas.evaluate((element) => element === document.activeElement)); presses += 1) await page.keyboard.press("Tab");
  assert.equal(await from(), 0);
  await page.keyboard.press("ArrowRight");
  assert.ok(Math.abs((await from()) - visible / 10) < 0.01);
  await page.keyboard.press("PageDown");
  assert.ok((await from()) > 0.9 * visible);
  await page.keyboard.press("End");
  assert.ok(Math.abs((await from()) + visible - 300) < 0.1);
  await page.keyboard.press("Home");
  assert.equal(await from(), 0);
  await page.keyboard.press("-");
  assert.ok(Number(await canvas.getAttribute("data-visible")) > 1.3 * visible);
  await close();
});

test("dragging moves the paper with the pointer", async () => {
  const { page, close } = await stage.visit();
  await page.getByRole("button", { name: "Normal rhythm" }).click();
  const canvas = await trace(page);
  const box = await canvas.boundingBox();
  assert.ok(box);
  await page.mouse.move(box.x + 600, box.y + 100);
  await page.mouse.down();
  await page.mouse.move(box.x + 600 - 25 * (96 / 25.4), box.y + 100, { steps: 4 });
  await page.mouse.up();
  // 25 mm at 25 mm/s are one second.
  assert.ok(Math.abs(Number(await canvas.getAttribute("data-from")) - 1) < 0.02);
  await close();
});

test("one sample of five millivolts is seen with the whole recording in view", async () => {
  const { page, close } = await stage.visit();
  await choose(page, wfdb(1800, 1000));
  const canvas = await trace(page);
  await page.getByRole("button", { name: "Whole recording" }).click();
  await page.waitForLoadState("networkidle");
  await page.waitForTimeout(300);
  assert.ok(Number(await canvas.getAttribute("data-visible")) > 1799);
  await shot(page, "spike-whole-recording");
  const { ratio, columns } = await inked(canvas);
  const tops = columns.map((column) => column?.top ?? Infinity);
  const sorted = tops.filter(Number.isFinite).sort((a, b) => a - b);
  const typical = sorted[sorted.length >> 1];
  const at = tops.indexOf(sorted[0]) / ratio;
  const left = Number(await canvas.getAttribute("data-left"));
  const expected = left + (1000 / 1800) * (columns.length / ratio - left);
  assert.ok(sorted[0] < typical - 30 * ratio, `the spike reaches ${sorted[0]}, the beats ${typical}`);
  assert.ok(Math.abs(at - expected) < 3, `the spike stands at ${at}, not ${expected}`);
  await close();
});
