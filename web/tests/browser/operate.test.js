// What the server does, as those see it who run it.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { LOOKS, asked, enter, sound } from "./rooms.js";
import { OWNER_KEY, Stage, record, shot } from "./stage.js";

/** @type {Stage} */
let stage;
before(async () => { stage = await Stage.open(); });
after(() => stage?.close());

/** A recording sent, as long work unless it is waited for. @param {string} [query] @returns {Promise<any>} */
async function job(query = "?wait=false") {
  const form = new FormData();
  for (const name of ["100s.hea", "100s.dat"]) form.append("file", new Blob([new Uint8Array(readFileSync(record(name)))]), name);
  const answer = await fetch(`${stage.address}/v1/classify${query}`, { method: "POST", headers: { "X-Api-Key": OWNER_KEY }, body: form });
  assert.ok(answer.ok, `${answer.status}`);
  return answer.json();
}

test("traffic is drawn as it comes, with its refusals", async () => {
  const { page, close } = await enter(stage, "owner", "#/operate");
  const chart = page.getByRole("img", { name: /^Requests, \/s/ });
  await chart.waitFor();
  // Asked again and again, so that every two readings see some of it.
  let over = false;
  const traffic = (async () => {
    while (!over) {
      await fetch(`${stage.address}/v1/models/nobody`, { headers: { "X-Api-Key": OWNER_KEY } });
      await pause(50);
    }
  })();
  await page.getByRole("img", { name: /refused (?!0\.0,)\d+\.\d,/ }).waitFor();
  await page.getByRole("row", { name: /no such model 404 just now \d+/ }).waitFor();
  over = true;
  await traffic;
  await chart.focus();
  await page.keyboard.press("ArrowLeft");
  await shot(page, "operate-live", true);
  await page.getByText("The last minute as a table").click();
  await page.getByRole("table", { name: "The last minute" }).getByRole("row").nth(1).waitFor();
  await page.getByRole("table", { name: "Loaded versions" }).getByRole("link", { name: /heartbeat/ }).first().waitFor();
  await close();
});

test("what models do is drawn: how long calls wait and compute, how large batches are, what they hold of the memory", async () => {
  const { page, close } = await enter(stage, "owner", "#/operate");
  let over = false;
  const traffic = (async () => {
    while (!over) {
      await job("");
    }
  })();
  for (const name of [
    /^In a model, on average, ms: computing \d+\.\d, waiting \d+\.\d now$/, /^Rows of one run, on average, count: rows [1-9]\d*\.\d now$/, /^Rows through models, \/s: rows [1-9]\d* now$/,
    /^Under way, count: requests \d+, model calls \d+ now$/, /^Processors, cores: in use \d+\.\d\d now$/, /^Memory of the process, MiB: resident [1-9]\d* now$/, /^Models count as, of \d.* GiB, MiB: counted [1-9]\d* now$/,
  ]) await page.getByRole("img", { name }).waitFor();
  over = true;
  await traffic;
  await page.getByText(/^\s*\d+ versions? counts? as \d.*\sMiB of \d.*\sGiB\.\s*$/).waitFor();
  const loaded = page.getByRole("table", { name: "Loaded versions" });
  const { items } = await asked(stage, "GET", "/v1/instances");
  assert.ok(items.length > 0);
  for (const one of items) {
    const row = loaded.getByRole("row", { name: new RegExp(`^${one.model} ${one.version} ${one.engine}`) });
    await row.getByText(one.file, { exact: true }).waitFor();
    await row.getByTitle(`Copy the digest: ${one.digest}`).waitFor();
  }
  await page.getByText("Requests of one address").waitFor();
  await page.getByText("not limited", { exact: true }).waitFor();
  await close();
});

test("plugins are shown with name, version and digest, one that was refused with the reason, and how often an address may ask", async () => {
  const folder = await mkdtemp(join(tmpdir(), "einthoven-plugins-"));
  const plugins = join(folder, "hospital", "plugins-of-the-cardiology-department", "release-2026-11");
  await mkdir(plugins, { recursive: true });
  const program = String(process.env.EINTHOVEN_BIN);
  const library = await readFile(join(dirname(program), "libeinthoven_example_engine.so"));
  for (const name of ["whole.so", "changed.so"]) {
    await writeFile(join(plugins, name), library);
    await promisify(execFile)(program, ["plugin", "seal", join(plugins, name)]);
  }
  await writeFile(join(plugins, "changed.so"), "no longer what was sealed");
  const server = await Stage.open("--plugins", plugins, "--address-rate", "5000");
  try {
    const { page, close } = await enter(server, "owner", "#/operate/plugins");
    const { engines } = await asked(server, "GET", "/v1/plugins");
    const digest = createHash("sha256").update(library).digest("hex");
    const example = engines.find((/** @type {any} */ one) => one.sha256?.endsWith(digest));
    const row = page.getByRole("table", { name: "Engines" }).getByRole("row", { name: `${example.name} ${example.version}` });
    await row.getByText("Runs").waitFor();
    await row.getByTitle(digest).waitFor();
    const refused = page.getByRole("table", { name: "Refused plugins" }).getByRole("row", { name: /changed/ });
    assert.match(await refused.innerText(), /SHA-256/);
    const path = refused.locator(".path");
    assert.equal(await path.innerText(), join(plugins, "changed.plugin.toml"));
    // It breaks where a name ends or has a hyphen, so there are no more lines than names.
    const lines = await path.evaluate((/** @type {Element} */ element) => new Set([...element.getClientRects()].map((one) => one.top)).size);
    assert.ok(lines <= plugins.split("/").length, `${lines} lines`);
    await sound(page, "operate-plugins");
    await page.getByRole("link", { name: "Live", exact: true }).click();
    await page.getByText(/^5000\u2009\/s, 10000 at once after a pause$/).waitFor();
    await close();
  } finally {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  }
});

test("a lost server is said over what was there, and found again", async () => {
  const { page, close } = await enter(stage, "owner", "#/operate");
  await page.getByRole("table", { name: "Loaded versions" }).waitFor();
  await stage.stopServer();
  await page.getByText("Not fresh.").first().waitFor();
  await shot(page, "operate-stale", true);
  await stage.startServer();
  await page.getByText("Not fresh.").first().waitFor({ state: "detached" });
  await close();
});

test("long work is seen to its end, its result can be taken, and it can be removed", async () => {
  const { id } = await job();
  const { page, close } = await enter(stage, "owner", "#/operate/jobs");
  const row = page.getByRole("row", { name: /100s\.hea/ });
  await row.getByText("Done").waitFor();
  const [download] = await Promise.all([page.waitForEvent("download"), row.getByRole("link", { name: /Result/ }).click()]);
  assert.match(download.suggestedFilename(), /\.json$/);
  await row.getByRole("button", { name: "Remove" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove the job" }).click();
  await row.waitFor({ state: "detached" });
  assert.ok(!(await asked(stage, "GET", "/v1/jobs")).items.some((/** @type {any} */ one) => one.id === id));
  await close();
});

test("the log is filtered by model and person, and says where it ends", async () => {
  const { page, close } = await enter(stage, "owner", "#/operate/log");
  const { seq } = await asked(stage, "GET", "/v1/audit/heads");
  await page.getByText(`The log ends at entry ${seq}`).waitFor();
  const table = page.getByRole("table", { name: "Changes, newest first" });
  await table.getByText("user added").first().waitFor();
  await page.getByLabel("Model").fill("heartbeat");
  await table.getByText("user added").first().waitFor({ state: "detached" });
  await table.getByText("traffic promoted").first().waitFor();
  await page.getByLabel("Who").fill("nobody at all");
  await page.getByText("No change is of that model and that person").waitFor();
  await page.getByRole("button", { name: "Show every change" }).click();
  await table.getByText("user added").first().waitFor();
  await close();
});

test("the log is verified by a click, also against a line that was kept, and rates of keys are shown", async () => {
  await asked(stage, "POST", "/v1/keys", { name: "ward-7", grants: ["predict"], rate: { per_second: 2.5, burst: 10 } });
  const kept = await asked(stage, "GET", "/v1/audit/heads");
  const { page, close } = await enter(stage, "owner", "#/operate/log");
  const verify = page.getByRole("button", { name: "Verify the log" });
  await verify.click();
  await page.getByText(/^\s*.*Whole\s*\d+ entries, none changed, removed or reordered\./).waitFor();
  const line = page.getByLabel("Where it ended once, as kept");
  await line.fill(JSON.stringify(kept));
  await verify.click();
  await page.getByText("It goes on from the line that was kept.").waitFor();
  await sound(page, "operate-verified");
  await line.fill(JSON.stringify({ ...kept, seq: kept.seq - 1 }));
  await verify.click();
  await page.getByText("It does not go on from the line that was kept:").waitFor();
  await line.fill("something else");
  await verify.click();
  await page.getByText("That is no line that was copied here").waitFor();
  await page.getByRole("link", { name: "Live", exact: true }).click();
  assert.match(await page.getByRole("table", { name: "Rates of keys" }).getByRole("row", { name: /ward-7/ }).innerText(), /2\.50\u2009\/s\s+10/);
  await close();
});

test("one who may not read the log is not shown it", async () => {
  const { page, close } = await enter(stage, "viewer", "#/operate/log");
  await page.getByRole("link", { name: "Jobs" }).waitFor();
  assert.equal(await page.getByRole("link", { name: "Log" }).count(), 0);
  await close();
});

for (const [look, options] of LOOKS) {
  test(`${look}: live, jobs, engines and the log are sound`, async () => {
    if (look === "light") await job();
    const { page, close } = await enter(stage, "owner", "#/operate", options);
    await page.getByRole("table", { name: "Loaded versions" }).waitFor();
    await page.getByRole("img", { name: /^Memory of the process, MiB: resident \d/ }).waitFor();
    await sound(page, `operate-live-${look}`);
    for (const [link, there] of [["Jobs", "Jobs"], ["Engines and readers", "Engines"], ["Log", "Changes, newest first"]]) {
      await page.getByRole("link", { name: link, exact: true }).click();
      await page.getByRole("table", { name: there }).waitFor();
      await sound(page, `operate-${link.split(" ")[0].toLowerCase()}-${look}`);
    }
    await close();
  });
}
