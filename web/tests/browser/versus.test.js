// Two versions compared by the real server: a shadow, then a split, labels, the verdict, the end.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { LOOKS, asked, enter, sound } from "./rooms.js";
import { OWNER_KEY, Stage } from "./stage.js";
import { bringMislabelled, repositoryFile } from "./versions.js";

/** Excerpts of the MIT-BIH Arrhythmia Database with their reference beats. */
const RECORDS = ["100x", "203x", "208x"];
const PEOPLE = 6;
/** Milliseconds that are waited for what the server does beside its answers. */
const PATIENCE_MS = 120_000;

/** @param {string} name */
const excerpt = (name) => repositoryFile(`ecg/tests/fixtures/mitdb-excerpts/${name}`);

/** @type {Stage} */
let stage;
/** Answers with the record that each was about. @type {{id: string, record: string}[]} */
const answers = [];
before(async () => {
  // No rail may end what is looked at here.
  stage = await Stage.open("--guard-every-s", "3600");
  await bringMislabelled(stage, "2");
});
after(() => stage?.close());

/** Sends a record about somebody. @param {string} record @param {string} subject */
async function classify(record, subject) {
  const form = new FormData();
  for (const ending of ["hea", "dat"]) form.append("file", new Blob([excerpt(`${record}.${ending}`)]), `${record}.${ending}`);
  const answer = await fetch(`${stage.address}/v1/classify`, { method: "POST", headers: { "X-Api-Key": OWNER_KEY, "X-Einthoven-Subject": subject }, body: form });
  assert.equal(answer.status, 200, await answer.clone().text());
  return answer.json();
}

/** Reads until it is so. @param {string} path @param {(found: any) => boolean} so */
async function until(path, so) {
  for (const end = Date.now() + PATIENCE_MS; ; await pause(100)) {
    const found = await asked(stage, "GET", path);
    if (so(found)) return found;
    assert.ok(Date.now() < end, `${path} did not become so: ${JSON.stringify(found).slice(0, 400)}`);
  }
}

test("an experiment is begun on the page, a shadow computes beside, and the page says what is known without labels", async () => {
  const { page, close } = await enter(stage, "owner", "#/compare");
  await page.getByRole("button", { name: "Start an experiment" }).click();
  const dialog = page.getByRole("dialog", { name: "Start an experiment" });
  await dialog.getByLabel("Model").selectOption("heartbeat");
  await dialog.getByRole("checkbox", { name: /^2/ }).check();
  await dialog.getByLabel("Name").fill("columns");
  await dialog.getByLabel("Decides").selectOption("n_f1");
  await dialog.getByLabel("Reason").fill("the columns are exchanged");
  await dialog.getByRole("button", { name: "Start the experiment" }).click();
  await page.getByRole("heading", { name: "columns" }).waitFor();
  await page.getByText("No recording was seen by both yet.").waitFor();
  await sound(page, "versus-begun");
  for (let person = 0; person < PEOPLE; person += 1) {
    for (const record of RECORDS) answers.push({ id: (await classify(record, `${record} of ${person}`)).prediction, record });
  }
  await until("/v1/experiments/columns/verdict?challenger=2", (verdict) => verdict.numbers.both === answers.length);
  await page.reload();
  const verdict = page.getByRole("region", { name: "Verdict" });
  assert.match(await verdict.innerText(), /Nothing labelled yet[^]*Which is right only labels can tell[^]*0 of 18[^]*Both on the same recordings/);
  await page.getByText(/^Both say the same of/).waitFor();
  await page.getByRole("table", { name: /^Rows: champion 1\.0\.0/ }).waitFor();
  const beats = page.getByRole("list", { name: "Beats that they call differently" }).getByRole("button");
  assert.match(await beats.first().innerText(), /no label/);
  await sound(page, "versus-unlabelled");
  await close();
});

test("with the reference beats as labels the page says that the challenger is worse, and shows the figures of the server", async () => {
  for (const { id, record } of answers) {
    const labelled = await fetch(`${stage.address}/v1/predictions/${id}/labels?why=reference`, { method: "POST", headers: { "X-Api-Key": OWNER_KEY, "Content-Type": "application/octet-stream" }, body: excerpt(`${record}.atr`) });
    assert.equal(labelled.status, 201, await labelled.text());
  }
  const said = await asked(stage, "GET", "/v1/experiments/columns/verdict?challenger=2");
  assert.equal(said.standing, "worse");
  const { page, close } = await enter(stage, "owner", "#/compare/columns");
  const verdict = page.getByRole("region", { name: "Verdict" });
  await verdict.getByText("Challenger is worse").waitFor();
  assert.ok((await verdict.innerText()).includes(said.sentence.replaceAll("`", "").replace(/(^|[ (])-(?=\d)/g, "$1\u2212")));
  assert.match(await verdict.innerText(), /18 of 18/);
  const forest = page.getByRole("img", { name: /^Differences of the figures/ });
  const points = (100 * said.primary.difference).toFixed(1).replace("-", "\u2212");
  assert.ok((await forest.getAttribute("aria-label"))?.includes(`N F1, mean: ${points} points`), points);
  const figures = page.getByRole("table", { name: "Figures by class, pooled over recordings" });
  for (const row of said.labelled.figures.filter((/** @type {any} */ one) => one.champion !== null && one.figure.endsWith("_se"))) {
    const name = `${row.figure[0].toUpperCase()} sensitivity`;
    assert.ok((await figures.getByRole("row", { name }).innerText()).includes((100 * row.champion).toFixed(1)), name);
  }
  assert.equal(await page.getByRole("table", { name: /^Recordings/ }).getByRole("row").count(), 19);
  assert.match(await page.getByRole("list", { name: "Beats that they call differently" }).getByRole("button").first().innerText(), /labelled [NSVF]/);
  await page.getByText("Figures so far").click();
  await page.getByRole("table", { name: "Figures of recordings against the reference" }).getByRole("row", { name: /^Heart rate, \/min/ }).waitFor();
  const rails = page.getByRole("table", { name: "Guard rails" });
  assert.match(await rails.getByRole("row", { name: /^Errors and timeouts/ }).innerText(), /2\u2009%/);
  assert.doesNotMatch(await page.getByRole("main").innerText(), /undefined|NaN|\[object/);
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Report (JSON)" }).click()]);
  const report = JSON.parse(await readFile(String(await download.path()), "utf8"));
  assert.equal(report.verdict.sentence, said.sentence);
  assert.equal(report.experiment.name, "columns");
  await close();
});

// The other looks are those of `compare.test.js`.
for (const [look, options] of LOOKS.filter(([name]) => name === "narrow" || name === "dark")) {
  test(`${look}: what the real server says is sound`, async () => {
    const { page, close } = await enter(stage, "owner", "#/compare/columns", options);
    await page.getByRole("table", { name: "Guard rails" }).waitFor();
    await sound(page, `versus-${look}`);
    await close();
  });
}

test("shares are changed to a split that answers people, and the experiment is stopped", async () => {
  const { page, close } = await enter(stage, "owner", "#/compare/columns");
  await page.getByRole("button", { name: "Change shares" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("What challengers do").selectOption("split");
  await dialog.getByLabel("Share of version 2").fill("50");
  await dialog.getByLabel("Reason").fill("to see it answer");
  await dialog.getByRole("button", { name: "Change the shares" }).click();
  await dialog.waitFor({ state: "detached" });
  await page.getByText("answers 50\u2009%").waitFor();
  // One subject of two is the challenger's; a hundred in a row are never all the champion's.
  let version = "";
  for (let person = 0; version !== "2" && person < 100; person += 1) version = (await classify("100x", `split ${person}`)).model.version;
  assert.equal(version, "2");
  const { here } = await until("/v1/experiments/columns", ({ here }) => here.some((/** @type {any} */ arm) => arm.version === "2" && arm.requests > 0));
  assert.ok(here.length >= 2);
  await page.getByRole("button", { name: "Stop", exact: true }).click();
  await dialog.getByLabel("Reason").fill("enough seen");
  await dialog.getByRole("button", { name: "Stop the experiment" }).click();
  await page.getByText(/^Ended .* by .*: enough seen$/).waitFor();
  assert.equal(await page.getByRole("button", { name: "Change shares" }).count(), 0);
  const { traffic } = await asked(stage, "GET", "/v1/models/heartbeat");
  assert.deepEqual([traffic.champion, traffic.splits ?? [], traffic.shadows ?? []], ["1.0.0", [], []]);
  await page.goto(`${stage.address}/#/compare`);
  await page.getByRole("row", { name: /columns.*stopped/ }).waitFor();
  await sound(page, "versus-list");
  await close();
});
