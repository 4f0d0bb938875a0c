// Going about: rooms by role, search, addresses, and how little all of it weighs.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { enter, sound } from "./rooms.js";
import { Stage } from "./stage.js";

const STATIC = fileURLToPath(new URL("../../static/", import.meta.url));

/** @type {Stage} */
let stage;
before(async () => { stage = await Stage.open(); });
after(() => stage?.close());

test("all scripts together are less than 200 kB compressed", () => {
  const scripts = readdirSync(STATIC, { recursive: true, encoding: "utf8" }).filter((name) => /\.m?js$/.test(name));
  const bytes = scripts.reduce((sum, name) => sum + gzipSync(readFileSync(STATIC + name)).length, 0);
  assert.ok(scripts.length > 20 && bytes < 200_000, `${bytes} bytes in ${scripts.length} files`);
});

test("search goes to a room and to a model, by the keyboard alone", async () => {
  const { page, close } = await enter(stage, "viewer", "#/recordings");
  await page.getByRole("button", { name: "Choose files" }).waitFor();
  await page.keyboard.press("/");
  const find = page.getByRole("combobox", { name: "Room, model or recording" });
  await page.getByRole("option", { name: /Operate/ }).waitFor();
  await sound(page, "frame-search");
  await find.fill("operate");
  await page.keyboard.press("Enter");
  await page.getByRole("navigation", { name: "Operate" }).waitFor();
  await page.keyboard.press("Control+k");
  await page.getByRole("option", { name: /heartbeat/ }).first().waitFor();
  await find.fill("heartbeat model");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "heartbeat" }).waitFor();
  assert.match(page.url(), /#\/models\/heartbeat$/);
  await page.goBack();
  await page.getByRole("navigation", { name: "Operate" }).waitFor();
  await close();
});

test("an address that leads nowhere leads to the first room; the top line says where one is and what answers", async () => {
  const { page, close } = await enter(stage, "viewer", "#/models/heartbeat");
  await page.getByRole("navigation", { name: "Where you are" }).getByText("heartbeat").waitFor();
  assert.equal(await page.getByRole("navigation", { name: "Rooms" }).getByRole("link", { name: "Models" }).getAttribute("aria-current"), "page");
  await page.getByRole("navigation", { name: "Rooms" }).getByRole("link", { name: "Recordings" }).click();
  await page.getByRole("link", { name: /Answers now: heartbeat/ }).waitFor();
  await page.getByText("Research use only. Not for diagnosis.").waitFor();
  await page.goto(`${stage.address}/#/models/no-such-model`);
  assert.match(await page.getByRole("alert").innerText(), /no-such-model/);
  await close();
});
