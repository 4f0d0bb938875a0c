// What must hold of every place of the page, whoever looks at it with whatever.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** axe has no serious finding. @param {import("playwright-core").Page} page @param {string} [name] */
export async function accessible(page, name = "the page") {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => /** @type {typeof import("axe-core")} */ (Reflect.get(globalThis, "axe")).run());
  const bad = violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target).join(" ")}`);
  assert.deepEqual(bad, [], name);
}

/** Nothing is wider than the window. @param {import("playwright-core").Page} page @param {string} [name] */
export async function fits(page, name = "the page") {
  const [wide, room] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  assert.ok(wide <= room, `${name} is ${wide} pixels wide in a window of ${room}`);
}
