// Coming in, going out, and what is seen meanwhile.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { issuer } from "./issuer.js";
import { asked, sound } from "./rooms.js";
import { PERSON, Stage, shot, trace } from "./stage.js";

/** @type {Stage} */
let stage;
before(async () => { stage = await Stage.open(); });
after(() => stage?.close());

/** @param {import("playwright-core").Page} page @param {string} password */
async function signIn(page, password) {
  await page.getByLabel("Name").fill(PERSON.name);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

test("nobody sees anything before they have signed in; a wrong password is said, a right one opens the page", async () => {
  const { page, close } = await stage.visit({}, false);
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await shot(page, "sign-in");
  assert.equal(await page.getByRole("button", { name: "Choose files" }).count(), 0);
  await signIn(page, "guessed");
  assert.match(await page.getByRole("alert").innerText(), /name or the password is wrong/);
  await shot(page, "sign-in-refused");
  await signIn(page, PERSON.password);
  await page.getByRole("button", { name: "Normal rhythm" }).click();
  await trace(page);
  // No script of the page's can read what proves who is here.
  assert.equal(await page.evaluate(() => document.cookie), "");
  await page.reload();
  await trace(page);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await page.reload();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await close();
});

test("who is signed out elsewhere is asked to sign in again", async () => {
  const { page, close } = await stage.visit();
  await page.getByRole("button", { name: "Normal rhythm" }).waitFor();
  const out = await page.request.delete(`${stage.address}/v1/auth/session?everywhere=true`, { headers: { "X-Einthoven-Page": "1" } });
  assert.equal(out.status(), 204, await out.text());
  await page.getByRole("button", { name: "Normal rhythm" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await signIn(page, PERSON.password);
  await page.getByRole("button", { name: "Normal rhythm" }).click();
  await trace(page);
  await close();
});

test("who has an account elsewhere goes there and comes back signed in, once for each way", async () => {
  // Another site than the issuer's, as in a clinic: a cookie that its redirect does not bring is not there.
  const home = `http://localhost:${stage.port}`;
  const lab = await issuer(`${home}/v1/auth/oidc/lab/callback`);
  try {
    const rule = { claim: "groups", value: "staff", grants: ["models.read"] };
    await asked(stage, "PUT", "/v1/issuers/lab", { settings: { issuer: lab.address, audiences: ["page"], algorithms: ["RS256"], rules: [rule], login: { client_id: "page" } } });
    // Nobody is sent there before its keys are known.
    const ready = async () => (await fetch(`${home}/v1/auth/oidc/lab/start`, { redirect: "manual" })).status === 303;
    for (const end = Date.now() + 60_000; !(await ready()); await pause(100)) assert.ok(Date.now() < end, "the issuer's keys are not known");
    const { page, close } = await stage.visit({}, false);
    await page.goto(home);
    const way = page.getByRole("list", { name: "Other ways to sign in" }).getByRole("link", { name: "Sign in with lab" });
    await way.waitFor();
    await sound(page, "sign-in-issuer");
    const returned = page.waitForRequest((request) => request.url().includes("/oidc/lab/callback"));
    await way.click();
    const back = (await returned).url();
    await page.getByRole("navigation", { name: "Rooms" }).waitFor();
    assert.equal(new URL(page.url()).origin, home);
    // What its claims allow is shown, and no more.
    await page.getByRole("link", { name: "oidc:lab:1" }).click();
    await page.getByRole("heading", { name: "What you may do" }).waitFor();
    await page.getByText("models.read, allowed:").waitFor();
    await page.getByText("traffic, not allowed:").waitFor();
    assert.equal(await page.getByRole("navigation", { name: "Rooms" }).getByRole("link", { name: "Recordings" }).count(), 0);
    assert.equal(await page.evaluate(() => document.cookie), "");
    await page.reload();
    await page.getByRole("link", { name: "oidc:lab:1" }).waitFor();
    await page.getByRole("banner").getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    // The same way back does not lead in again, and says so.
    await page.goto(back);
    assert.match(await page.getByRole("alert").innerText(), /used already/);
    await way.click();
    await page.getByRole("link", { name: "oidc:lab:1" }).waitFor();
    await close();
  } finally {
    await lab.close();
    await asked(stage, "DELETE", "/v1/issuers/lab");
  }
});

test("a server without users lets its owner in by the link that it prints, once", async () => {
  const data = await mkdtemp(join(tmpdir(), "einthoven-link-"));
  const env = { ...process.env, EINTHOVEN_OWNER_KEY: "" };
  const server = spawn(String(process.env.EINTHOVEN_BIN), ["serve", "--listen", "127.0.0.1:0", "--data", data], { stdio: ["ignore", "pipe", "ignore"], env });
  try {
    const line = await new Promise((resolve) => createInterface({ input: /** @type {any} */ (server.stdout) }).once("line", resolve));
    const link = /http:\S+token=\S+/.exec(String(line))?.[0];
    assert.ok(link, String(line));
    const context = await stage.browser.newContext();
    const page = await context.newPage();
    await page.goto(new URL("/", link).href);
    await page.getByText("Open the link that it printed").waitFor();
    await shot(page, "sign-in-link");
    await page.goto(link);
    await page.getByRole("button", { name: "Normal rhythm" }).click();
    await trace(page);
    assert.ok(!page.url().includes("token"), page.url());
    await context.close();
    const other = await stage.browser.newContext();
    const late = await other.newPage();
    await late.goto(link);
    assert.match(await late.getByRole("alert").innerText(), /used already/);
    await shot(late, "sign-in-link-used");
    await other.close();
  } finally {
    const ended = new Promise((resolve) => server.once("exit", resolve));
    server.kill("SIGKILL");
    await ended;
    await rm(data, { recursive: true, force: true });
  }
});
