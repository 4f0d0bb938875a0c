import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { FOLDER, vendored } from "../vendor.js";

test("the vendored files are what the packages in the lock file hold", async () => {
  for (const [name, text] of await vendored()) {
    const here = await readFile(new URL(name, FOLDER), "utf8");
    assert.ok(here === text, `static/vendor/${name} differs from its package; run \`npm run vendor\``);
  }
});
