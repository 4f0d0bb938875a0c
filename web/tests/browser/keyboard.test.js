// The whole way without a mouse: sign in, bring a recording, relabel a beat, promote a version, roll it back.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { wfdb } from "./recordings.js";
import { asked } from "./rooms.js";
import { Stage } from "./stage.js";
import { bringMislabelled } from "./versions.js";

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
