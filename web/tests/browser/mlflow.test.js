// Versions from a real MLflow: added, tried, browsed, pulled and promoted on the page.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { python } from "./packages.js";
import { asked, enter, sound } from "./rooms.js";
import { Stage, freePort } from "./stage.js";

const PYTHON = python("EINTHOVEN_MLFLOW", "mlflow-3");
const STEPS = fileURLToPath(new URL("../../../platform/server/tests/mlflow/python/steps.py", import.meta.url));
const MODEL = fileURLToPath(new URL("../../../models/heartbeat-row/model.onnx", import.meta.url));
const PATIENCE_MS = 120_000;

/** @type {Stage} */
let stage;
/** @type {import("node:child_process").ChildProcess} */
let mlflow;
/** @type {string} */
let folder;
let address = "";

/** One step of those that the server's tests use. @param {...string} words */
const step = (...words) => promisify(execFile)(PYTHON, [STEPS, address, ...words], { env: { ...process.env, MLFLOW_DISABLE_TELEMETRY: "true" } });

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "einthoven-mlflow-"));
  const port = await freePort();
  address = `http://127.0.0.1:${port}`;
  const words = ["-m", "mlflow", "server", "--host", "127.0.0.1", "--workers", "1", "--serve-artifacts", "--port", String(port), "--backend-store-uri", `sqlite:///${folder}/mlflow.db`, "--artifacts-destination", `${folder}/artifacts`];
  // A group of its own, so that its workers end with it.
  mlflow = spawn(PYTHON, words, { cwd: folder, stdio: "ignore", detached: true, env: { ...process.env, MLFLOW_DISABLE_TELEMETRY: "true" } });
  stage = await Stage.open();
  for (const end = Date.now() + PATIENCE_MS; !(await fetch(`${address}/health`).catch(() => null))?.ok; await pause(200)) assert.ok(Date.now() < end, "MLflow does not answer");
  await step("by_run", MODEL, "lab-row");
  const moved = await fetch(`${address}/api/2.0/mlflow/registered-models/alias`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ name: "lab-row", alias: "champion", version: "1" }) });
  assert.equal(moved.status, 200, await moved.text());
});
after(async () => {
  await stage?.close();
  if (!mlflow?.pid) return;
  const ended = new Promise((resolve) => mlflow.once("exit", resolve));
  process.kill(-mlflow.pid);
  await ended;
  await rm(folder, { recursive: true, force: true });
});

test("a real MLflow is added, tried and browsed, its champion is pulled and promoted, an alias is followed", async () => {
  const { page, close } = await enter(stage, "owner", "#/models/~sources");
  page.setDefaultTimeout(PATIENCE_MS);
  await page.getByRole("button", { name: "Add a source" }).first().click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill("lab");
  await dialog.getByLabel("Address").fill(address);
  await dialog.getByRole("button", { name: "Add the source" }).click();
  await page.getByRole("heading", { name: "lab" }).waitFor();
  await page.getByRole("button", { name: "Test the connection" }).click();
  await page.getByText(/It answers: MLflow 3\.\d+/).waitFor();
  await page.getByRole("button", { name: "Browse" }).click();
  await page.getByRole("button", { name: "Pull @champion" }).waitFor();
  await sound(page, "mlflow-browsed");
  await page.getByRole("button", { name: "Pull @champion" }).click();
  assert.equal(await dialog.getByLabel("Version", { exact: true }).inputValue(), "lab-row@champion");
  await dialog.getByRole("button", { name: "Pull the version" }).click();
  const newest = page.getByRole("list", { name: "Versions, newest first" }).getByRole("listitem").first();
  await newest.getByText("Ready").waitFor();
  await newest.getByText(/from MLflow, lab lab-row\/1/).waitFor();
  await sound(page, "mlflow-pulled");
  await page.getByRole("button", { name: "Promote version 1", exact: true }).click();
  await dialog.getByRole("button", { name: "Promote version 1" }).click();
  await newest.getByText("Answers everybody").waitFor();
  assert.equal((await asked(stage, "GET", "/v1/models/lab-row")).traffic.champion, "1");

  await page.goto(`${stage.address}/#/models/~sources/lab`);
  await page.getByRole("button", { name: "Follow an alias" }).click();
  await dialog.getByLabel("Model there").fill("lab-row");
  await dialog.getByRole("button", { name: "Follow it" }).click();
  const followed = page.getByRole("table", { name: "Followed" });
  await followed.getByText("lab-row@champion").waitFor();
  // The server has looked, and says where the alias points there.
  await followed.getByRole("row", { name: /lab-row@champion.*\b1\b/ }).waitFor();
  await sound(page, "mlflow-followed");
  await close();
});
