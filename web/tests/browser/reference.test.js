// The reference of the interface at /docs: drawn from the server's document, tried out, under the same policy as every page.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible } from "./sound.js";
import { Stage, shot } from "./stage.js";

/** @type {Stage} */
let stage;
before(async () => { stage = await Stage.open(); });
after(() => stage?.close());

test("an operation is found, read and sent", async () => {
  const { page, close } = await stage.visit();
  await page.goto(`${stage.address}/docs`);
  await page.getByRole("searchbox", { name: "Search operations" }).fill("list_models");
  const operations = page.getByRole("group");
  assert.equal(await operations.count(), 1);
  await operations.getByText("/v1/models").click();
  await page.getByText("models.read for some model").waitFor();
  await page.getByRole("form", { name: "Try list_models" }).getByLabel("limit").fill("1");
  await page.getByText("/v1/models?limit=1").waitFor();
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByText("200 OK").waitFor();
  await page.getByText('"heartbeat"').waitFor();
  await shot(page, "reference");
  await accessible(page);
  await close();
});

test("an address names an operation, and a key that is given is what counts", async () => {
  const { page, close } = await stage.visit({}, false);
  await page.goto(`${stage.address}/docs#get_system`);
  const operation = page.getByRole("group").filter({ hasText: "/v1/system" }).first();
  await operation.getByText("Answers", { exact: true }).waitFor();
  await page.getByLabel("API key for what you send from here").fill("no such key");
  await operation.getByRole("button", { name: "Send" }).click();
  await operation.getByText("401").last().waitFor();
  await operation.getByText("/problems/credential_refused").last().waitFor();
  await close();
});
