// Models as people bring them in, let them answer and take them back.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { LOOKS, asked, enter, sound } from "./rooms.js";
import { fakeMlflow } from "./sources.js";
import { OWNER_KEY, Stage, record, shot } from "./stage.js";

const FILES = ["model.onnx", "CARD.md"].map((name) => fileURLToPath(new URL(`../../../models/heartbeat/${name}`, import.meta.url)));

/** @type {Stage} */
let stage;
before(async () => {
  stage = await Stage.open();
  await bring();
});
after(() => stage?.close());

test("a network is uploaded, what no file says is asked for, it is promoted with what changes in view and rolled back in two clicks", async () => {
  const { page, close } = await enter(stage, "owner", "#/models/heartbeat");
  await page.getByRole("button", { name: "Upload a version" }).click();
  const [chooser] = await Promise.all([page.waitForEvent("filechooser"), page.getByRole("button", { name: "Choose files" }).click()]);
  await chooser.setFiles(FILES);
  await page.getByLabel("Reason").fill("the weights alone");
  await page.getByRole("button", { name: "Upload", exact: true }).click();
  // The server names the fields; the files that came are not sent again, and nothing typed is lost.
  await page.getByText("They are here and need not be sent again").waitFor();
  assert.match(await page.getByRole("alert").innerText(), /recipe/);
  assert.equal(await page.getByLabel("Reason").inputValue(), "the weights alone");
  await shot(page, "models-upload-asks");
  await page.getByLabel("Recipe").selectOption("beat-rr-v1");
  await page.getByLabel("Labels").fill("N, S, V, F");
  await page.getByRole("button", { name: "Bring it in" }).click();
  const timeline = page.getByRole("list", { name: "Versions, newest first" });
  const newest = timeline.getByRole("listitem").first();
  const version = "1";
  await newest.getByRole("link", { name: `Version ${version}`, exact: true }).waitFor();
  await newest.getByText("Ready").waitFor();
  await shot(page, "models-one-ready", true);

  await page.getByRole("button", { name: `Promote version ${version}`, exact: true }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("row", { name: /^files/ }).waitFor();
  await sound(page, "models-promote");
  await dialog.getByLabel("Reason").fill("no golden outputs of ours");
  await dialog.getByRole("button", { name: `Promote version ${version}` }).click();
  await newest.getByText("Answers everybody").waitFor();
  const { traffic } = await asked(stage, "GET", "/v1/models/heartbeat");
  assert.equal(traffic.champion, version);
  await page.getByText("no golden outputs of ours").first().waitFor();

  await page.getByRole("button", { name: "Roll back", exact: true }).click();
  await dialog.getByText("answers again").waitFor();
  await sound(page, "models-rollback");
  await dialog.getByRole("button", { name: "Roll back to version" }).click();
  await dialog.waitFor({ state: "detached" });
  assert.notEqual((await asked(stage, "GET", "/v1/models/heartbeat")).traffic.champion, version);
  await page.getByText("Rolled back: version").waitFor();

  await page.getByRole("button", { name: "Add an alias" }).click();
  await dialog.getByRole("textbox", { name: "Alias" }).fill("staging");
  await dialog.getByLabel("Version").selectOption(version);
  await dialog.getByRole("button", { name: "Add the alias" }).click();
  await newest.getByText("@staging").waitFor();
  // What an alias points at cannot be retired: the page does not offer it, and says what the server says otherwise.
  assert.equal(await newest.getByRole("button", { name: /Retire/ }).count(), 0);
  await page.getByRole("button", { name: "Remove staging" }).click();
  await dialog.getByRole("button", { name: "Remove the alias" }).click();
  await newest.getByRole("button", { name: /Retire/ }).click();
  await dialog.getByRole("button", { name: `Retire version ${version}` }).click();
  await newest.getByText("Retired").waitFor();
  await newest.getByRole("button", { name: /Delete/ }).click();
  await sound(page, "models-delete");
  await dialog.getByRole("button", { name: `Delete version ${version}` }).click();
  await newest.getByRole("link", { name: "Version 1.0.0", exact: true }).waitFor();
  assert.deepEqual(Object.keys((await asked(stage, "GET", "/v1/models/heartbeat")).versions), ["1.0.0"]);
  await close();
});

test("a gate is set on the page, and a promotion meets it; a model without traffic is deleted by its name", async () => {
  await bring("gated");
  const { page, close } = await enter(stage, "owner", "#/models/gated");
  await page.getByRole("button", { name: "Change the gate" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("It must bring a card").check();
  await dialog.getByLabel("A measure must be high enough").check();
  await dialog.getByLabel("Set").fill("ds2");
  await dialog.getByRole("textbox", { name: "Measure" }).fill("macro_f1");
  await dialog.getByLabel("At least").fill("1.5");
  await dialog.getByRole("button", { name: "Change the gate" }).click();
  // The server knows what a measure can be; what was typed stays.
  await dialog.getByRole("alert").waitFor();
  assert.equal(await dialog.getByLabel("Set").inputValue(), "ds2");
  await dialog.getByLabel("At least").fill("0.7");
  await sound(page, "models-gate");
  await dialog.getByRole("button", { name: "Change the gate" }).click();
  await page.getByText("macro_f1 on ds2 must be at least 0.7.").waitFor();
  assert.deepEqual((await asked(stage, "GET", "/v1/models/gated")).gate, { card: true, second_person: false, metric: { set: "ds2", metric: "macro_f1", at_least: 0.7 } });
  await page.getByRole("button", { name: "Promote version 1", exact: true }).click();
  await dialog.getByText("It was not measured on the set ds2").waitFor();
  await dialog.getByRole("button", { name: "Promote version 1" }).click();
  await dialog.getByRole("alert").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Delete the model" }).click();
  const remove = dialog.getByRole("button", { name: "Delete the model" });
  assert.ok(await remove.isDisabled(), "not before its name is typed");
  await dialog.getByLabel("Type gated to go on").fill("gated");
  await remove.click();
  await page.getByRole("heading", { name: "Models", exact: true }).waitFor();
  assert.ok(!(await asked(stage, "GET", "/v1/models")).items.some((/** @type {any} */ one) => one.name === "gated"));
  await close();
});

test("a change that somebody else made meanwhile is said, and the dialog keeps what was typed", async () => {
  const { page, close } = await enter(stage, "owner", "#/models/heartbeat");
  await page.getByRole("button", { name: "Add an alias" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("textbox", { name: "Alias" }).fill("late");
  await asked(stage, "PUT", "/v1/models/heartbeat/aliases/early", { version: "1.0.0" });
  await dialog.getByRole("button", { name: "Add the alias" }).click();
  assert.match(await dialog.getByRole("alert").innerText(), /meanwhile/i);
  assert.equal(await dialog.getByRole("textbox", { name: "Alias" }).inputValue(), "late");
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  await close();
});

test("the command that a version shows for programs is answered by that version", async () => {
  const { page, close } = await enter(stage, "owner", "#/models/shown/1");
  const command = await page.getByRole("region", { name: "How programs ask for it" }).getByText(/^curl /).innerText();
  const { stdout } = await promisify(execFile)("sh", ["-c", command.replaceAll("RECORD", "100s")], { cwd: dirname(record("100s.hea")), env: { ...process.env, EINTHOVEN_KEY: OWNER_KEY }, maxBuffer: 1 << 26 });
  const answer = JSON.parse(stdout);
  assert.deepEqual([answer.model.name, answer.model.version], ["shown", "1"]);
  assert.ok(answer.beats.length > 300);
  await close();
});

test("one who only looks is offered no change", async () => {
  const { page, close } = await enter(stage, "viewer", "#/models/heartbeat");
  await page.getByRole("list", { name: "Versions, newest first" }).waitFor();
  for (const name of [/Upload/, /Promote/, /Roll back/, /Retire/, /alias/]) assert.equal(await page.getByRole("button", { name }).count(), 0, String(name));
  await close();
});

/** A model with a version that was tried here. @param {string} [model] */
async function bring(model = "shown") {
  const form = new FormData();
  for (const [field, value] of Object.entries({ recipe: "beat-rr-v1", labels: "N,S,V,F", wait_s: "60", reason: "to be looked at" })) form.append(field, value);
  for (const path of FILES) form.append("file", new Blob([new Uint8Array(readFileSync(path))]), basename(path));
  const answer = await fetch(`${stage.address}/v1/models/${model}/versions`, { method: "POST", headers: { "X-Api-Key": OWNER_KEY }, body: form });
  const version = await answer.json();
  assert.equal(version.phase?.state, "ready", JSON.stringify(version));
}

for (const [look, options] of LOOKS) {
  test(`${look}: the list, a model and a version are sound`, async () => {
    const { page, close } = await enter(stage, "owner", "#/models", options);
    await page.getByRole("link", { name: "shown", exact: true }).first().waitFor();
    await sound(page, `models-list-${look}`);
    await page.getByRole("table", { name: "Models" }).getByRole("link", { name: "shown", exact: true }).click();
    await page.getByRole("heading", { name: "What answered" }).waitFor();
    await sound(page, `models-one-${look}`);
    await page.getByRole("list", { name: "Versions, newest first" }).getByRole("link").first().click();
    await page.getByRole("heading", { name: "Manifest" }).waitFor();
    await page.getByRole("heading", { name: "Card" }).waitFor();
    await page.getByRole("table", { name: "Engines and how fast each is" }).getByText("tract").first().waitFor();
    await sound(page, `models-version-${look}`);
    await close();
  });
}

test("an MLflow server is added, tried, browsed and followed", async () => {
  const mlflow = await fakeMlflow();
  const { page, close } = await enter(stage, "owner", "#/models/~sources");
  await page.getByText("No MLflow server is known yet").waitFor();
  await sound(page, "models-sources-empty");
  await page.getByRole("button", { name: "Add a source" }).first().click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill("lab");
  await dialog.getByLabel("Address").fill(mlflow.address);
  await dialog.getByRole("button", { name: "Add the source" }).click();
  await page.getByRole("heading", { name: "lab" }).waitFor();
  await page.getByRole("button", { name: "Test the connection" }).click();
  await page.getByText("It answers: MLflow 3.1.0").waitFor();
  await page.getByRole("button", { name: "Browse" }).click();
  await page.getByRole("button", { name: "Pull @champion" }).waitFor();
  await page.getByRole("button", { name: "Follow an alias" }).click();
  await dialog.getByLabel("Model there").fill("lab-heartbeat");
  await dialog.getByRole("button", { name: "Follow it" }).click();
  await page.getByRole("table", { name: "Followed" }).getByText("Waits for a promotion").waitFor();
  await sound(page, "models-source");
  const { follow } = await asked(stage, "GET", "/v1/sources/lab");
  assert.equal(follow[0].alias, "champion");
  assert.equal(follow[0].promote, false);
  await page.getByRole("button", { name: "Remove", exact: true }).click();
  await dialog.getByRole("button", { name: "Remove the source" }).click();
  await page.getByText("No MLflow server is known yet").waitFor();
  await close();
  mlflow.close();
});
