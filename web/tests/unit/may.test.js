import assert from "node:assert/strict";
import { test } from "node:test";
import { may, mayAll } from "../../static/js/frame/may.js";

test("a grant holds for the models that it names alone", () => {
  const grants = ["models.read", "traffic:lab-*,heart.beat"];
  assert.ok(may(grants, "models.read", "anything"));
  assert.ok(may(grants, "traffic") && may(grants, "traffic", "lab-1") && may(grants, "traffic", "heart.beat"));
  assert.ok(!may(grants, "traffic", "heartxbeat") && !may(grants, "traffic", "other") && !mayAll(grants, "traffic"));
  assert.ok(!may(grants, "models.write"));
});

test("who administers may everything", () => {
  assert.ok(mayAll(["admin"], "audit.read") && may(["admin"], "traffic", "any"));
});
