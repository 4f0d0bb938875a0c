// Comparing versions: start, read, change, stop, take the report away.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { EXPERIMENT, VERDICT, disagreements } from "./experiments.js";
import { accessible, fits } from "./sound.js";
import { Stage, shot } from "./stage.js";

const GRANTS = ["predict", "models.read", "traffic", "label"];

/** @type {Stage} */
let stage;
before(async () => { stage = await Stage.open(); });
after(() => stage?.close());

/**
 * The room with these experiments; what it sends is kept.
 * @param {any[]} experiments @param {{options?: import("playwright-core").BrowserContextOptions, grants?: string[], verdict?: any}} [given]
 */
async function room(experiments, { options, grants = GRANTS, verdict = VERDICT } = {}) {
  const { page, close } = await stage.visit(options);
  /** @type {{method: string, path: string, body: any}[]} */
  const sent = [];
  const recording = await page.evaluate(async () => (await fetch("/v1/samples/ventricular-ectopy", { method: "POST", headers: { "X-Einthoven-Page": "1" } }).then((answer) => (answer.ok ? answer.json() : null))));
  await page.route("**/v1/auth/session", async (route) => {
    if (route.request().method() !== "GET") return route.fallback();
    const answer = await route.fetch();
    return route.fulfill({ response: answer, json: { ...(await answer.json()), grants } });
  });
  await page.route(/\/v1\/models(\/heartbeat\/versions)?(\?.*)?$/, (route) => route.fulfill({
    json: { items: route.request().url().includes("versions") ? ["4", "3"].map((name) => ({ name, phase: { state: "ready", engine: "tract" } })) : [{ name: "heartbeat", champion: "3" }], next: null },
  }));
  await page.route("**/v1/experiments**", (route) => {
    const request = route.request();
    const { pathname, search } = new URL(request.url());
    const [name, part] = pathname.replace("/v1/experiments", "").split("/").filter(Boolean);
    if (request.method() !== "GET") {
      sent.push({ method: request.method(), path: pathname + search, body: request.postDataJSON() });
      if (request.method() === "POST" && !part) experiments.push({ ...EXPERIMENT, ...request.postDataJSON() });
      if (request.method() === "DELETE") Object.assign(experiments[0], { running: false, ended: { at: "2026-11-24T10:00:00Z", by: "user:ana", why: "enough seen", withdrawn: false } });
      return request.method() === "DELETE" ? route.fulfill({ status: 204 }) : route.fulfill({ status: request.method() === "POST" ? 201 : 200, json: experiments[experiments.length - 1] });
    }
    if (!name) return route.fulfill({ json: { items: experiments, next: null } });
    if (part === "verdict") return route.fulfill({ json: verdict });
    if (part === "disagreements") return route.fulfill({ json: disagreements(recording ? `/v1/recordings/${recording.id}/signal` : null, recording ? recording.beats.filter((/** @type {any} */ beat) => beat.class === "V").slice(2, 5).map((/** @type {any} */ beat) => beat.time_s) : [12]) });
    return route.fulfill({ json: experiments.find((one) => one.name === name) });
  });
  await page.goto(`${stage.address}/#/compare`);
  await page.reload();
  return { page, close, sent };
}

test("an experiment is started with what it will do said before, and its verdict is shown", async () => {
  const { page, close, sent } = await room([]);
  await page.getByText("No experiment yet.").waitFor();
  await shot(page, "compare-empty");
  await page.getByRole("button", { name: "Start an experiment" }).click();
  const dialogue = page.getByRole("dialog", { name: "Start an experiment" });
  await dialogue.getByRole("checkbox", { name: /^4/ }).check();
  assert.equal(await dialogue.getByRole("checkbox", { name: /^3/ }).count(), 0, "the champion is no challenger");
  await dialogue.getByLabel("Name").fill("heartbeat-4");
  await dialogue.getByLabel("Reason").fill("retrained on 2025");
  await dialogue.getByText("Version 4 will compute on 100 % of the subjects. Everybody is still answered by 3.").waitFor();
  await dialogue.getByLabel("What challengers do").selectOption("split");
  await dialogue.getByLabel("Share of the subjects").fill("10");
  await dialogue.getByText("Version 4 will answer 10 % of the subjects in the place of 3.").waitFor();
  await shot(page, "compare-start");
  await accessible(page);
  await fits(page);
  await dialogue.getByRole("button", { name: "Start the experiment" }).click();
  await page.getByRole("heading", { name: "heartbeat-4" }).waitFor();
  assert.deepEqual(sent[0].body, {
    name: "heartbeat-4", model: "heartbeat", splits: [{ version: "4", percent: 10 }], shadows: [], reason: "retrained on 2025",
    rules: { settings: { primary: "v_f1", looks: "every", worth: 0.02, comparisons: 1 } },
  });
  await page.getByRole("region", { name: "Verdict" }).waitFor();
  await close();
});

test("drift says what it is measured from, and a new reference is frozen with a reason", async () => {
  const { page, close, sent } = await room([structuredClone(EXPERIMENT)]);
  await page.getByRole("link", { name: "heartbeat-4" }).click();
  await page.getByText("The reference is frozen: 200 recordings").waitFor();
  await page.getByRole("button", { name: "Freeze a new reference" }).click();
  const dialogue = page.getByRole("dialog", { name: "Freeze a reference of version 3" });
  await dialogue.getByLabel("Recordings").fill("150");
  await dialogue.getByLabel("Reason").fill("a new recorder since Monday");
  await shot(page, "compare-freeze");
  await accessible(page);
  await fits(page);
  await dialogue.getByRole("button", { name: "Freeze the reference" }).click();
  await dialogue.waitFor({ state: "detached" });
  assert.deepEqual(sent, [{ method: "POST", path: "/v1/experiments/heartbeat-4/drift/reference", body: { version: "3", recordings: 150, reason: "a new recorder since Monday" } }]);
  await close();
});

test("who may not deal out traffic sees the reference and cannot freeze another", async () => {
  const { page, close } = await room([structuredClone(EXPERIMENT)], { grants: ["predict", "models.read"] });
  await page.getByRole("link", { name: "heartbeat-4" }).click();
  await page.getByText("The reference is frozen: 200 recordings").waitFor();
  assert.equal(await page.getByRole("button", { name: "Freeze a new reference" }).count(), 0);
  await close();
});

test("the verdict comes first, with its interval; forest, tables, agreement and rails follow", async () => {
  const { page, close } = await room([structuredClone(EXPERIMENT)]);
  await page.getByRole("link", { name: "heartbeat-4" }).click();
  const verdict = page.getByRole("region", { name: "Verdict" });
  assert.match(await verdict.innerText(), /Challenger is better\s+4 is better than 3: \+11\.1 points of F1 for V beats \(\+5\.8 to \+15\.7\) over 120 recordings/);
  const forest = page.getByRole("img", { name: /^Differences of the figures/ });
  assert.match(await forest.getAttribute("aria-label") ?? "", /V F1, mean: \+11\.1 points, \+5\.8 to \+15\.7/);
  // The interval is drawn where it lies: its ends stand as far from the point as they are from the value.
  const [left, right, point] = await forest.evaluate((svg) => {
    const box = (/** @type {string} */ name) => /** @type {SVGGraphicsElement} */ (svg.querySelector(`.deciding ${name}`)).getBBox();
    return [box(".interval").x, box(".interval").x + box(".interval").width, box(".point").x + 4];
  });
  assert.ok(Math.abs((point - left) / (right - left) - (0.111 - 0.058) / (0.157 - 0.058)) < 0.01);
  assert.match(await page.getByRole("row", { name: /V sensitivity/ }).innerText(), /86\.1[^]*93\.4[^]*\+7\.3/);
  assert.equal(await page.getByRole("table", { name: /^Recordings/ }).getByRole("row").count(), 13);
  assert.match(await page.getByRole("table", { name: /^Rows: champion 3/ }).innerText(), /1930/);
  await page.getByText("Amplitude has changed").waitFor();
  assert.match(await page.getByRole("row", { name: /Latency/ }).innerText(), /not enough seen/);
  await shot(page, "compare-verdict", true);
  await close();
});

test("where they differ, both answers stand at one trace", async () => {
  const { page, close } = await room([structuredClone(EXPERIMENT)]);
  await page.getByRole("link", { name: "heartbeat-4" }).click();
  const beats = page.getByRole("list", { name: "Beats that they call differently" }).getByRole("button");
  await beats.first().waitFor();
  await page.getByRole("img", { name: /^The trace around .*: 3 says N, 4 says V$/ }).waitFor();
  await beats.last().click();
  await page.getByText("There is no trace of this recording").waitFor();
  await close();
});

test("shares are changed and an experiment is stopped, each with a reason", async () => {
  const { page, close, sent } = await room([structuredClone(EXPERIMENT)]);
  await page.getByRole("link", { name: "heartbeat-4" }).click();
  await page.getByRole("button", { name: "Change shares" }).click();
  await page.getByLabel("Share of version 4").fill("50");
  await page.getByLabel("Reason").fill("less load");
  await page.getByRole("button", { name: "Change the shares" }).click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Stop", exact: true }).click();
  await page.getByText("Version 3 answers everybody at once.").waitFor();
  await page.getByLabel("Reason").fill("enough seen");
  await page.getByRole("button", { name: "Stop the experiment" }).click();
  await page.getByText(/Ended .* by user:ana: enough seen/).waitFor();
  assert.deepEqual(sent.map((one) => [one.method, one.path, one.body]), [
    ["PATCH", "/v1/experiments/heartbeat-4", { splits: [], shadows: [{ version: "4", percent: 50 }], reason: "less load" }],
    ["DELETE", "/v1/experiments/heartbeat-4?reason=enough+seen", null],
  ]);
  assert.equal(await page.getByRole("button", { name: "Stop", exact: true }).count(), 0);
  await close();
});

test("who may not change traffic reads, and is offered nothing else; the report is taken away", async () => {
  const verdict = { ...VERDICT, standing: "too_early", sentence: "Too early to say: over 15 recordings `4` differs from `3` by +15.3 points of F1 for V beats, and anything from -18.8 to +40.5 fits." };
  const { page, close } = await room([structuredClone(EXPERIMENT)], { grants: ["models.read"], verdict });
  await page.getByRole("link", { name: "heartbeat-4" }).click();
  await page.getByRole("region", { name: "Verdict" }).getByText(/Too early to say$/).waitFor();
  assert.equal(await page.getByRole("button", { name: "Change shares" }).count(), 0);
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Report (JSON)" }).click()]);
  assert.equal(download.suggestedFilename(), "heartbeat-4-4.json");
  const report = JSON.parse(await readFile(String(await download.path()), "utf8"));
  assert.equal(report.verdict.sentence, verdict.sentence);
  assert.equal(report.experiment.name, "heartbeat-4");
  await close();
});

/** @type {[string, import("playwright-core").BrowserContextOptions][]} */
const SCREENS = [["light", {}], ["dark", { colorScheme: "dark", reducedMotion: "reduce" }], ["narrow", { viewport: { width: 360, height: 740 } }], ["zoomed", { viewport: { width: 640, height: 400 }, deviceScaleFactor: 2 }]];
for (const [name, options] of SCREENS) {
  test(`${name}: list and experiment fit and axe has no serious finding`, async () => {
    const { page, close } = await room([structuredClone(EXPERIMENT)], { options });
    await page.getByRole("link", { name: "heartbeat-4" }).waitFor();
    await accessible(page);
    await fits(page);
    await shot(page, `compare-list-${name}`);
    await page.getByRole("link", { name: "heartbeat-4" }).click();
    await page.getByRole("img", { name: /^The trace around/ }).waitFor();
    await accessible(page);
    await fits(page);
    await shot(page, `compare-${name}`, true);
    await close();
  });
}
