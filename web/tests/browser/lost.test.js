// A connection that is lost while something is typed: each form says so, looks for the server again, and keeps what was typed.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { bareCsv } from "./recordings.js";
import { asked, enter } from "./rooms.js";
import { fakeMlflow } from "./sources.js";
import { PERSON, Stage, choose, shot, trace } from "./stage.js";
import { bringMislabelled, heartbeatFiles } from "./versions.js";

/** @typedef {import("playwright-core").Locator} Locator @typedef {import("playwright-core").Page} Page */

/** @type {Stage} */
let stage;
/** @type {Awaited<ReturnType<typeof fakeMlflow>>} */
let mlflow;
before(async () => {
  stage = await Stage.open();
  mlflow = await fakeMlflow();
  await bringMislabelled(stage, "2");
  await asked(stage, "PUT", "/v1/sources/lab", { settings: { url: mlflow.address } });
  await asked(stage, "POST", "/v1/users", { name: "bea", password: "a password that is long", roles: ["viewer"] });
});
after(async () => {
  await stage?.close();
  mlflow?.close();
});

/** Everything that is in the fields of a form, and what is ticked. @param {Locator} form */
const typed = (form) => form.evaluate((element) => [...element.querySelectorAll("input, select, textarea")].map((field) => {
  const { type, value, checked, files } = /** @type {HTMLInputElement} */ (field);
  return type === "checkbox" || type === "radio" ? checked : type === "file" ? files?.length : value;
}));

/**
 * Sends a form that meets no server, looks at what it says and still holds, and sends it again once there is one.
 * @param {Page} page @param {Locator} form @param {string} verb
 */
async function withoutServer(page, form, verb) {
  const before = await typed(form);
  // What the form itself asked for is here.
  await page.waitForLoadState("networkidle");
  await page.context().setOffline(true);
  await form.getByRole("button", { name: verb, exact: true }).click();
  await form.getByRole("alert").getByText("The server does not answer").waitFor();
  await form.getByText(/^Trying again in/).waitFor();
  assert.deepEqual(await typed(form), before, "what was typed is there");
  await page.context().setOffline(false);
  // By itself within seconds; asked for, at once.
  await form.getByRole("button", { name: "Try again now" }).click();
  await form.getByRole("status").getByText("The server answers again").waitFor();
  assert.deepEqual(await typed(form), before, "and still is, once the server answers");
  await form.getByRole("button", { name: verb, exact: true }).click();
  await form.waitFor({ state: "detached" });
}

/** Forms in the order in which they can be sent: where each is, how it is opened, what is typed, and what sends it. @type {[what: string, hash: string, open: string, type: (dialog: Locator) => Promise<unknown>, verb: string][]} */
const FORMS = [
  ["a key", "#/access/keys", "Make a key", (dialog) => dialog.getByLabel("Name").fill("ward-3").then(() => dialog.getByLabel("models.read").check()), "Make the key"],
  ["a person", "#/access/people", "Add a person", (dialog) => dialog.getByLabel("Name").fill("cleo").then(() => dialog.getByLabel("Password").fill("a password that is long")), "Add the person"],
  ["a role", "#/access/people", "Change role of bea", (dialog) => dialog.getByRole("radio", { name: "Labeler" }).check(), "Make bea a labeler"],
  ["a password", "#/access/people", "New password for bea", (dialog) => dialog.getByLabel("New password").fill("another long password"), "Set the password"],
  ["an issuer", "#/access/issuers", "Add an issuer", async (dialog) => {
    for (const [label, value] of [["Name", "clinic"], ["Issuer", "https://login.example.org/realms/clinic"], ["Claim", "roles"], ["Is or holds", "cardiology"]]) await dialog.getByLabel(label, { exact: true }).fill(value);
  }, "Add the issuer"],
  ["a version", "#/models/heartbeat", "Upload a version", async (dialog) => {
    const [chooser] = await Promise.all([dialog.page().waitForEvent("filechooser"), dialog.getByRole("button", { name: "Choose files" }).click()]);
    await chooser.setFiles(heartbeatFiles().filter(({ name }) => name !== "golden.json"));
    await dialog.getByRole("textbox", { name: "Version" }).fill("3");
    await dialog.getByLabel("Reason").fill("retrained");
  }, "Upload"],
  ["a promotion", "#/models/heartbeat/2", "Promote version 2", (dialog) => dialog.getByLabel("Reason").fill("better on DS2"), "Promote version 2"],
  ["a rollback", "#/models/heartbeat", "Roll back", (dialog) => dialog.getByLabel("Reason").fill("worse after all"), "Roll back to version 1.0.0"],
  ["an alias", "#/models/heartbeat", "Add an alias", (dialog) => dialog.getByRole("textbox", { name: "Alias" }).fill("staging").then(() => dialog.getByLabel("Version").selectOption("2")), "Add the alias"],
  ["a source", "#/models/~sources", "Add a source", (dialog) => dialog.getByLabel("Name").fill("ward").then(() => dialog.getByLabel("Address").fill(mlflow.address)), "Add the source"],
  ["an alias to follow", "#/models/~sources/lab", "Follow an alias", (dialog) => dialog.getByLabel("Model there").fill("lab-heartbeat"), "Follow it"],
  ["an experiment", "#/compare", "Start an experiment", async (dialog) => {
    await dialog.getByRole("checkbox", { name: /^2/ }).check();
    await dialog.getByLabel("Name").fill("against-2");
    await dialog.getByLabel("Reason").fill("to see");
  }, "Start the experiment"],
  ["shares", "#/compare/against-2", "Change shares", (dialog) => dialog.getByLabel("Share of version 2").fill("40").then(() => dialog.getByLabel("Reason").fill("less load")), "Change the shares"],
  ["a stop", "#/compare/against-2", "Stop", (dialog) => dialog.getByLabel("Reason").fill("seen enough"), "Stop the experiment"],
  ["a gate", "#/models/heartbeat", "Change the gate", (dialog) => dialog.getByLabel("It must bring a card").check(), "Change the gate"],
  ["a retirement", "#/models/heartbeat", "Retire version 3", (dialog) => dialog.getByLabel("Reason").fill("never used"), "Retire version 3"],
  ["a key's end", "#/access/keys", "Revoke ward-3", (dialog) => dialog.getByLabel("Reason").fill("the ward has closed"), "Revoke the key"],
];

test("each form says that the connection is lost, keeps what was typed, and is sent when the server is back", async () => {
  const { page, close } = await enter(stage, "owner", "#/access");
  const phases = async () => Object.values((await asked(stage, "GET", "/v1/models/heartbeat")).versions).map((/** @type {any} */ one) => one.phase.state);
  for (const [what, hash, open, type, verb] of FORMS) {
    // A version that becomes ready meanwhile is a change that a form would have to be asked again for.
    for (const end = Date.now() + 60_000; (await phases()).includes("verifying"); await pause(100)) assert.ok(Date.now() < end, "the version is not ready");
    await page.goto(`${stage.address}/${hash}`);
    await page.getByRole("main").getByRole("button", { name: open, exact: true }).first().click();
    const dialog = page.getByRole("dialog");
    await type(dialog);
    try {
      await withoutServer(page, dialog, verb);
    } catch (cause) {
      throw new Error(`the form of ${what}: ${cause instanceof Error ? cause.message : cause}`, { cause });
    }
  }
  await close();
});

test("a server that was stopped is found again by itself, and nothing is sent that was not asked for again", async () => {
  const { page, close } = await enter(stage, "owner", "#/access/keys");
  await page.getByRole("button", { name: "Make a key" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill("ward-9");
  await stage.stopServer();
  await dialog.getByRole("button", { name: "Make the key" }).click();
  await dialog.getByText(/^Trying again in/).waitFor();
  await shot(page, "lost-form");
  await stage.startServer();
  await dialog.getByRole("status").getByText("The server answers again").waitFor();
  await shot(page, "lost-form-returned");
  const { items } = await asked(stage, "GET", "/v1/keys");
  assert.ok(!items.some((/** @type {any} */ one) => one.name === "ward-9"));
  assert.equal(await dialog.getByLabel("Name").inputValue(), "ward-9");
  await dialog.getByRole("button", { name: "Make the key" }).click();
  await page.getByRole("status").filter({ hasText: "shown this once" }).waitFor();
  await close();
});

test("who signs in without a server need not type the password again", async () => {
  const { page, close } = await stage.visit({}, false);
  await page.getByLabel("Name").fill(PERSON.name);
  await page.getByLabel("Password").fill(PERSON.password);
  await withoutServer(page, page.getByRole("region", { name: "Sign in" }), "Sign in");
  await page.getByRole("button", { name: "Choose files" }).waitFor();
  await close();
});

test("what was said of a recording is sent with its files once the server is back", async () => {
  const { page, close } = await stage.visit();
  await choose(page, bareCsv());
  await page.getByLabel("Sampling rate").fill("360");
  await page.getByLabel("Unit of the samples").selectOption("mV");
  await page.context().setOffline(true);
  await page.getByRole("button", { name: "Read the recording" }).click();
  await page.getByText(/Trying again in/).waitFor();
  await page.context().setOffline(false);
  const canvas = await trace(page);
  assert.match(String(await canvas.getAttribute("aria-label")), /of 0:30/);
  await close();
});

test("a label that meets no server is shown, said to wait, and sent when the server is back", async () => {
  const { page, close } = await enter(stage, "owner", "#/recordings");
  await page.getByRole("button", { name: "Normal rhythm" }).click();
  const canvas = await trace(page);
  await canvas.focus();
  await page.keyboard.press("Enter");
  const beat = page.getByRole("group", { name: "Selected beat" });
  await beat.getByRole("button", { name: "Relabel as V, ventricular" }).waitFor();
  await page.context().setOffline(true);
  await page.keyboard.press("v");
  await beat.getByText(/^Not saved: .* Trying again\.$/).waitFor();
  assert.match(await beat.innerText(), /ventricular/);
  await page.context().setOffline(false);
  await beat.getByText("Relabelled as V").waitFor();
  const { items } = await asked(stage, "GET", "/v1/predictions?labelled=true");
  assert.equal(items.length, 1);
  await close();
});

test("the log is verified once the server is back, against the line that was typed", async () => {
  const kept = JSON.stringify(await asked(stage, "GET", "/v1/audit/heads"));
  const { page, close } = await enter(stage, "owner", "#/operate/log");
  const line = page.getByLabel("Where it ended once, as kept");
  await line.fill(kept);
  await page.context().setOffline(true);
  await page.getByRole("button", { name: "Verify the log" }).click();
  await page.getByText(/Trying again in/).waitFor();
  await page.context().setOffline(false);
  await page.getByText("It goes on from the line that was kept.").waitFor();
  assert.equal(await line.inputValue(), kept);
  await close();
});
