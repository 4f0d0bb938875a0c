// Who may call: keys, people, one's own session.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { LOOKS, asked, enter, sound } from "./rooms.js";
import { Stage } from "./stage.js";

/** @type {Stage} */
let stage;
before(async () => { stage = await Stage.open(); });
after(() => stage?.close());

test("a key is made for what it needs, shown once, works, and is refused once it is revoked", async () => {
  const { page, close } = await enter(stage, "owner", "#/access/keys");
  await page.getByRole("button", { name: "Make a key" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill("ward-3");
  await dialog.getByLabel("models.read").check();
  await dialog.getByLabel("For these models alone").fill("heartbeat, lab-*");
  await dialog.getByLabel("Requests per second").fill("50");
  await sound(page, "access-key-new");
  await dialog.getByRole("button", { name: "Make the key" }).click();
  const card = page.getByRole("status").filter({ hasText: "shown this once" });
  await sound(page, "access-key-made");
  const key = (await card.getByText(/^ein_/).innerText()).trim();
  const models = () => fetch(`${stage.address}/v1/models`, { headers: { "X-Api-Key": key } });
  const answer = await models();
  assert.equal(answer.status, 200);
  assert.deepEqual((await answer.json()).items.map((/** @type {any} */ one) => one.name), ["heartbeat"]);
  const { items } = await asked(stage, "GET", "/v1/keys");
  const made = items.find((/** @type {any} */ one) => one.name === "ward-3");
  assert.deepEqual(made.grants, ["predict:heartbeat,lab-*", "models.read:heartbeat,lab-*"]);
  assert.ok(Date.parse(made.expires_at) > Date.now() + 80 * 864e5);
  await page.getByRole("button", { name: "I have it" }).click();
  await page.reload();
  await page.getByRole("row", { name: /ward-3/ }).waitFor();
  assert.equal(await page.getByText(key).count(), 0);
  await page.getByRole("button", { name: "Revoke ward-3" }).click();
  await dialog.getByLabel("Reason").fill("the ward has closed");
  await dialog.getByRole("button", { name: "Revoke the key" }).click();
  await page.getByRole("row", { name: /ward-3/ }).waitFor({ state: "detached" });
  assert.equal((await models()).status, 401);
  await close();
});

test("a person is added, gets another role and password, and is removed; what the server refuses is said at its field", async () => {
  const { page, close } = await enter(stage, "owner", "#/access/people");
  await page.getByRole("button", { name: "Add a person" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill("bea");
  await dialog.getByLabel("Password").fill("short");
  await dialog.getByRole("button", { name: "Add the person" }).click();
  await dialog.getByRole("alert").waitFor();
  assert.equal(await dialog.getByLabel("Name").inputValue(), "bea");
  await dialog.getByLabel("Password").fill("a much longer password");
  await dialog.getByRole("radio", { name: "Labeler" }).check();
  await dialog.getByRole("button", { name: "Add the person" }).click();
  const row = page.getByRole("row", { name: /^bea/ });
  await row.getByText("Labeler").waitFor();
  await row.getByRole("button", { name: "Change role" }).click();
  await dialog.getByRole("radio", { name: "Operator" }).check();
  await sound(page, "access-role");
  await dialog.getByRole("button", { name: "Make bea an operator" }).click();
  await row.getByText("Operator").waitFor();
  await row.getByRole("button", { name: "New password" }).click();
  await dialog.getByLabel("New password").fill("yet another password");
  await dialog.getByRole("button", { name: "Set the password" }).click();
  await dialog.waitFor({ state: "detached" });
  const enters = await fetch(`${stage.address}/v1/auth/session`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ name: "bea", password: "yet another password" }) });
  assert.equal(enters.status, 201, await enters.text());
  await row.getByRole("button", { name: "Remove" }).click();
  await dialog.getByRole("button", { name: "Remove bea" }).click();
  await row.waitFor({ state: "detached" });
  await close();
});

test("who is no owner sees their own session alone, and can end it everywhere, by the keyboard", async () => {
  const { page, close } = await enter(stage, "viewer", "#/access");
  const everywhere = page.getByRole("button", { name: "Sign out everywhere" });
  await everywhere.waitFor();
  assert.equal(await page.getByRole("link", { name: "Keys" }).count(), 0);
  const other = await enter(stage, "viewer", "#/access");
  await everywhere.focus();
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog");
  await dialog.waitFor();
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  // The focus is where it was.
  await page.waitForFunction((element) => element === document.activeElement, await everywhere.elementHandle());
  await page.keyboard.press("Enter");
  await dialog.getByRole("button", { name: "Sign out everywhere" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await other.page.reload();
  await other.page.getByRole("heading", { name: "Sign in" }).waitFor();
  await other.close();
  await close();
});

test("an issuer is named with what its claims allow, and removed", async () => {
  const { page, close } = await enter(stage, "owner", "#/access/issuers");
  await page.getByText("Only keys and passwords of this server count").waitFor();
  await page.getByRole("button", { name: "Add an issuer" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill("clinic");
  await dialog.getByLabel("Issuer").fill("not an address");
  await dialog.getByLabel("Issuer").fill("https://login.example.org/realms/clinic");
  await dialog.getByLabel("Audiences").fill("einthoven, ecg");
  await dialog.getByLabel("Claim").fill("realm_access.roles");
  await dialog.getByLabel("Is or holds").fill("cardiology");
  await dialog.getByLabel("For these models alone").fill("heartbeat");
  await dialog.getByRole("button", { name: "Add a rule" }).click();
  const second = dialog.getByRole("group", { name: "Rule 2" });
  await second.getByLabel("Claim").fill("groups");
  await second.getByLabel("Is or holds").fill("admins");
  for (const scope of ["predict", "models.read"]) await second.getByRole("checkbox", { name: scope, exact: true }).uncheck();
  await second.getByRole("checkbox", { name: "audit.read" }).check();
  await sound(page, "access-issuer-new");
  await dialog.getByRole("button", { name: "Add the issuer" }).click();
  await page.getByRole("heading", { name: "clinic" }).waitFor();
  const { settings } = await asked(stage, "GET", "/v1/issuers/clinic");
  assert.deepEqual(settings.audiences, ["einthoven", "ecg"]);
  assert.deepEqual(settings.rules.map((/** @type {any} */ rule) => [rule.claim, rule.value, rule.grants]), [
    ["realm_access.roles", "cardiology", ["predict:heartbeat", "models.read:heartbeat"]], ["groups", "admins", ["audit.read"]],
  ]);
  await page.getByRole("button", { name: "Add an issuer" }).click();
  await dialog.getByLabel("Name").fill("clinic");
  await dialog.getByText("There is one of that name").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Remove clinic" }).click();
  await dialog.getByRole("button", { name: "Remove the issuer" }).click();
  await page.getByText("Only keys and passwords of this server count").waitFor();
  await close();
});

for (const [look, options] of LOOKS) {
  test(`${look}: session, keys, people and issuers are sound`, async () => {
    if (look === "light") {
      await asked(stage, "PUT", "/v1/issuers/hospital", { settings: { issuer: "https://login.example.org/realms/hospital", audiences: ["einthoven"], algorithms: ["RS256"], rules: [{ claim: "realm_access.roles", value: "cardiology", grants: ["predict", "models.read"] }] } });
      await asked(stage, "POST", "/v1/keys", { name: "ci", grants: ["models.write:lab-*", "models.read"], rate: { per_second: 5, burst: 20 } });
    }
    const { page, close } = await enter(stage, "owner", "#/access", options);
    await page.getByRole("heading", { name: "What you may do" }).waitFor();
    await sound(page, `access-session-${look}`);
    for (const [link, there] of [["Keys", /^ci/], ["People", /the-owner/]]) {
      await page.getByRole("link", { name: String(link), exact: true }).click();
      await page.getByRole("row", { name: there }).waitFor();
      await sound(page, `access-${String(link).toLowerCase()}-${look}`);
    }
    await page.getByRole("link", { name: "Issuers", exact: true }).click();
    await page.getByRole("heading", { name: "hospital" }).waitFor();
    await sound(page, `access-issuers-${look}`);
    await close();
  });
}
