// Going into a room as somebody with a role, and what must hold of every room.
import assert from "node:assert/strict";
import { accessible, fits } from "./sound.js";
import { OWNER_KEY, shot } from "./stage.js";

/** Looks of the window that every room must stand. @type {[string, import("playwright-core").BrowserContextOptions][]} */
export const LOOKS = [
  ["light", { colorScheme: "light" }],
  ["dark", { colorScheme: "dark" }],
  ["narrow", { viewport: { width: 360, height: 740 }, reducedMotion: "reduce" }],
  ["zoomed", { viewport: { width: 640, height: 400 }, deviceScaleFactor: 2 }],
];

/**
 * Asks the API as the owner's key.
 * @param {import("./stage.js").Stage} stage @param {string} method @param {string} path @param {unknown} [json]
 */
export async function asked(stage, method, path, json) {
  const headers = { "X-Api-Key": OWNER_KEY, "Content-Type": "application/json" };
  const answer = await fetch(`${stage.address}${path}`, { method, headers, body: json === undefined ? undefined : JSON.stringify(json) });
  const text = await answer.text();
  assert.ok(answer.ok, `${method} ${path}: ${text}`);
  return text ? JSON.parse(text) : null;
}

/**
 * The page of somebody with this role, at this address.
 * @param {import("./stage.js").Stage} stage @param {string} role @param {string} hash @param {import("playwright-core").BrowserContextOptions} [options]
 */
export async function enter(stage, role, hash, options = {}) {
  const person = { name: `the-${role}`, password: "a password that is long" };
  const { items } = await asked(stage, "GET", "/v1/users");
  if (!items.some((/** @type {any} */ one) => one.name === person.name)) await asked(stage, "POST", "/v1/users", { ...person, roles: [role] });
  return stage.visit(options, person, hash);
}

/** Nothing serious for axe, nothing wider than the window; a picture of it. @param {import("playwright-core").Page} page @param {string} name */
export async function sound(page, name) {
  await page.evaluate(() => scrollTo(0, 0));
  await page.evaluate(() => Promise.all(document.getAnimations().map((one) => one.finished.catch(() => null))));
  await shot(page, name, true);
  await accessible(page, name);
  await fits(page, name);
}
