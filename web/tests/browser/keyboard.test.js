// Without a mouse: sign in, bring a recording, relabel a beat, promote a version, roll it back; versions, sources and experiments.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { wfdb } from "./recordings.js";
import { asked, enter } from "./rooms.js";
import { fakeMlflow } from "./sources.js";
import { Stage } from "./stage.js";
import { bringMislabelled, heartbeatFiles } from "./versions.js";

const PERSON = { name: "kim", password: "a password that is long" };
/** Presses of Tab after which what is looked for is taken not to be reachable. */
const MOST = 120;

/** @type {Stage} */
let stage;
before(async () => {
  stage = await Stage.open();
  await asked(stage, "POST", "/v1/users", { ...PERSON, roles: ["owner"] });
  await bringMislabelled(stage, "2");
});
after(() => stage?.close());

/** Goes on with Tab until this has the focus, which must be seen. @param {import("playwright-core").Locator} wanted */
async function tabTo(wanted) {
  await wanted.first().waitFor();
  for (let presses = 0; presses < MOST; presses += 1) {
    const [here, drawn] = await wanted.first().evaluate((element) => [element === document.activeElement, getComputedStyle(element).outlineStyle !== "none"]);
    if (here) {
      assert.ok(drawn, `the focus is seen on ${wanted}`);
      return;
    }
    await wanted.page().keyboard.press("Tab");
  }
  assert.fail(`${wanted} is not reached by ${MOST} presses of Tab`);
}

test("sign in, drop, select, relabel, undo, promote and roll back by the keyboard alone", async () => {
  const { page, close } = await stage.visit({}, false);
  const { keyboard } = page;
  await tabTo(page.getByLabel("Name"));
  await keyboard.type(PERSON.name);
  await tabTo(page.getByLabel("Password"));
  await keyboard.type(PERSON.password);
  await keyboard.press("Enter");

  // What comes later must not take the focus away.
  await page.getByRole("list", { name: "Sample recordings" }).getByRole("button").first().waitFor();
  await page.waitForLoadState("networkidle");
  // Asked for before the key is pressed, or the dialogue may be there before the browser is told to hand it over.
  const chooser = page.waitForEvent("filechooser");
  await tabTo(page.getByRole("button", { name: "Choose files" }));
  await keyboard.press("Enter");
  await (await chooser).setFiles(wfdb(20, null));
  const canvas = page.getByRole("img", { name: /^ECG trace/ });
  await tabTo(canvas);
  await keyboard.press("Enter");
  await keyboard.press("ArrowRight");
  const beat = page.getByRole("group", { name: "Selected beat" });
  await beat.getByText("normal").first().waitFor();
  await keyboard.press("v");
  await page.getByText("Relabelled as V").waitFor();
  const { items } = await asked(stage, "GET", "/v1/predictions?labelled=true");
  assert.equal(items.length, 1);
  const truth = async () => (await asked(stage, "GET", `/v1/predictions/${items[0].id}/labels`)).beats.map((/** @type {any} */ one) => one.truth?.class ?? null);
  assert.deepEqual(await truth(), ["V"]);
  await keyboard.press("u");
  await page.getByText("Undone").waitFor();
  assert.deepEqual((await truth()).filter(Boolean), []);

  await keyboard.press("/");
  await page.getByRole("dialog", { name: "Search" }).waitFor();
  await keyboard.type("heartbeat");
  await page.getByRole("option").filter({ hasText: /^heartbeat\s*model/ }).first().waitFor();
  await keyboard.press("Enter");
  await page.getByRole("heading", { name: "heartbeat", exact: true }).waitFor();
  await tabTo(page.getByRole("button", { name: "Promote version 2" }));
  await keyboard.press("Enter");
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("row", { name: /^labels/ }).waitFor();
  await tabTo(dialog.getByLabel("Reason"));
  await keyboard.type("by keys");
  await keyboard.press("Enter");
  await dialog.waitFor({ state: "detached" });
  await page.getByText("by keys").first().waitFor();
  const champion = async () => (await asked(stage, "GET", "/v1/models/heartbeat")).traffic.champion;
  assert.equal(await champion(), "2");

  await tabTo(page.getByRole("main").getByRole("button", { name: "Roll back", exact: true }));
  await keyboard.press("Enter");
  await dialog.getByText("answers again").waitFor();
  await tabTo(dialog.getByRole("button", { name: "Roll back to version 1.0.0" }));
  await keyboard.press("Enter");
  await dialog.waitFor({ state: "detached" });
  assert.equal(await champion(), "1.0.0");
  await close();
});

/** Somebody who may do everything, in a room. @param {string} hash */
async function inside(hash) {
  const { page, close } = await enter(stage, "owner", hash);
  return { page, keyboard: page.keyboard, dialog: page.getByRole("dialog"), close };
}

/** Presses what has been reached. @param {import("playwright-core").Locator} wanted @param {string} [key] */
async function press(wanted, key = "Enter") {
  await tabTo(wanted);
  await wanted.page().keyboard.press(key);
}

test("a version is uploaded, asked for what its files do not say, and brought in by the keyboard alone", async () => {
  const { page, keyboard, dialog, close } = await inside("#/models/heartbeat");
  await press(page.getByRole("button", { name: "Upload a version" }));
  const chooser = page.waitForEvent("filechooser");
  await press(dialog.getByRole("button", { name: "Choose files" }));
  await (await chooser).setFiles(heartbeatFiles().filter(({ name }) => name === "model.onnx"));
  await tabTo(dialog.getByRole("textbox", { name: "Version" }));
  await keyboard.type("typed-7");
  await tabTo(dialog.getByLabel("Reason"));
  await keyboard.type("by keys alone");
  await press(dialog.getByRole("button", { name: "Upload", exact: true }));
  await dialog.getByText("They are here and need not be sent again").waitFor();
  // A letter chooses among what is offered, as in every list of the system.
  await tabTo(dialog.getByLabel("Recipe"));
  await keyboard.type("beat-rr");
  await tabTo(dialog.getByLabel("Labels"));
  await keyboard.type("N, S, V, F");
  await press(dialog.getByRole("button", { name: "Bring it in" }));
  await dialog.waitFor({ state: "detached" });
  const { versions } = await asked(stage, "GET", "/v1/models/heartbeat");
  assert.equal(versions["typed-7"].name, "typed-7");
  const brought = page.getByRole("list", { name: "Versions, newest first" }).getByRole("listitem").first();
  await brought.getByText("Ready").waitFor();
  await press(brought.getByRole("link", { name: "Version typed-7" }));
  await page.getByRole("heading", { name: "Manifest" }).waitFor();
  await close();
});

test("an MLflow server is added, tried, browsed, followed and removed by the keyboard alone", async (running) => {
  const mlflow = await fakeMlflow();
  running.after(() => mlflow.close());
  const { page, keyboard, dialog, close } = await inside("#/models/~sources");
  await press(page.getByRole("button", { name: "Add a source" }));
  await tabTo(dialog.getByLabel("Name"));
  await keyboard.type("lab");
  await tabTo(dialog.getByLabel("Address"));
  await keyboard.type(mlflow.address);
  await keyboard.press("Enter");
  await page.getByRole("heading", { name: "lab" }).waitFor();
  await press(page.getByRole("button", { name: "Test the connection" }));
  await page.getByText("It answers: MLflow 3.1.0").waitFor();
  await press(page.getByRole("button", { name: "Browse" }));
  await press(page.getByRole("button", { name: "Pull @champion" }));
  assert.equal(await dialog.getByLabel("Version", { exact: true }).inputValue(), "lab-heartbeat@champion");
  await keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  // The focus is where it was.
  await page.waitForFunction(() => document.activeElement?.textContent?.startsWith("Pull @champion"), null, { timeout: 5000 });
  await press(page.getByRole("button", { name: "Follow an alias" }));
  await tabTo(dialog.getByLabel("Model there"));
  await keyboard.type("lab-heartbeat");
  await keyboard.press("Enter");
  await page.getByRole("table", { name: "Followed" }).getByText("Waits for a promotion").waitFor();
  await press(page.getByRole("button", { name: "Remove", exact: true }));
  await press(dialog.getByRole("button", { name: "Remove the source" }));
  await page.getByText("No MLflow server is known yet").waitFor();
  await close();
});

test("an experiment is started, changed and stopped by the keyboard alone", async () => {
  const { page, keyboard, dialog, close } = await inside("#/compare");
  await press(page.getByRole("button", { name: "Start an experiment" }));
  await tabTo(dialog.getByLabel("Name"));
  await keyboard.type("by-keys");
  await press(dialog.getByRole("checkbox", { name: /^2/ }), "Space");
  await tabTo(dialog.getByLabel("Reason"));
  await keyboard.type("to see");
  await keyboard.press("Enter");
  await page.getByRole("heading", { name: "by-keys" }).waitFor();
  await press(page.getByRole("button", { name: "Change shares" }));
  await tabTo(dialog.getByLabel("Share of version 2"));
  await keyboard.press("Control+a");
  await keyboard.type("40");
  await tabTo(dialog.getByLabel("Reason"));
  await keyboard.type("less load");
  await keyboard.press("Enter");
  await dialog.waitFor({ state: "detached" });
  assert.equal((await asked(stage, "GET", "/v1/experiments/by-keys")).shadows[0].percent, 40);
  await press(page.getByRole("button", { name: "Stop", exact: true }));
  await tabTo(dialog.getByLabel("Reason"));
  await keyboard.type("enough seen");
  await press(dialog.getByRole("button", { name: "Stop the experiment" }));
  await page.getByText(/^Ended .*: enough seen/).waitFor();
  assert.equal((await asked(stage, "GET", "/v1/experiments/by-keys")).running, false);
  await close();
});

test("from any room the keyboard alone rolls back what answers, with a reason", async () => {
  const champion = async () => (await asked(stage, "GET", "/v1/models/heartbeat")).traffic.champion;
  await asked(stage, "PUT", "/v1/models/heartbeat/traffic", { champion: "2" });
  const { page, keyboard, dialog, close } = await inside("#/operate/jobs");
  await press(page.getByRole("banner").getByRole("button", { name: "Roll back heartbeat" }));
  await dialog.getByText("answers again").waitFor();
  await tabTo(dialog.getByLabel("Reason"));
  await keyboard.type("worse on ward 3");
  await keyboard.press("Enter");
  await dialog.waitFor({ state: "detached" });
  assert.equal(await champion(), "1.0.0");
  const { history } = await asked(stage, "GET", "/v1/models/heartbeat");
  assert.equal(history.at(-1).why, "worse on ward 3");
  await close();
});
