// The reference of the interface at /docs: drawn from the server's document, tried out, under the same policy as every page.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { Stage, shot } from "./stage.js";

const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** @type {Stage} */
let stage;
before(async () => { stage = await Stage.open(); });
after(() => stage?.close());

test("an operation is found, read and sent", async () => {
  const { page, close } = await stage.visit();
  await page.goto(`${stage.address}/docs`);
  await page.getByRole("searchbox", { name: "Search operations" }).fill("list_models");
  assert.equal(await page.locator("details.operation").count(), 1);
  await page.locator("details.operation > summary").click();
  await page.getByText("models.read for some model").waitFor();
  await page.getByRole("form", { name: "Try list_models" }).getByLabel("limit").fill("1");
  await page.getByText("/v1/models?limit=1").waitFor();
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByText("200 OK").waitFor();
  await page.getByText('"heartbeat"').waitFor();
  await shot(page, "reference");
  await page.evaluate(AXE);
  const found = await page.evaluate(() => /** @type {any} */ (globalThis).axe.run());
  const serious = found.violations.filter((/** @type {any} */ one) => ["serious", "critical"].includes(one.impact));
  assert.deepEqual(serious.map((/** @type {any} */ one) => `${one.id}: ${one.nodes.map((/** @type {any} */ node) => node.target).join(" ")}`), []);
  await close();
});

test("an address names an operation, and a key that is given is what counts", async () => {
  const { page, close } = await stage.visit({}, false);
  await page.goto(`${stage.address}/docs#get_system`);
  const operation = page.locator("#get_system");
  await operation.getByText("Answers", { exact: true }).waitFor();
  await page.getByLabel("API key for what you send from here").fill("no such key");
  await operation.getByRole("button", { name: "Send" }).click();
  await operation.getByText("401").last().waitFor();
  await operation.getByText("/problems/credential_refused").last().waitFor();
  await close();
});
