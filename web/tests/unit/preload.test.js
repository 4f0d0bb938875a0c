import assert from "node:assert/strict";
import { test } from "node:test";
import { preloaded } from "../preload.js";

test("the page names every module it needs before it can draw; `npm run preload` writes them", async () => {
  const { is, should } = await preloaded();
  assert.equal(is, should);
  assert.ok((is.match(/modulepreload/g)?.length ?? 0) > 20);
});
