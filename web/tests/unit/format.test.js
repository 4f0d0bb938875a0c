import assert from "node:assert/strict";
import { test } from "node:test";
import { clock, duration, figure, percent } from "../../static/js/format.js";

test("what cannot be computed is a dash, never a zero", () => {
  assert.equal(figure(null, "ms"), "\u2013");
  assert.equal(percent(undefined), "\u2013");
  assert.equal(figure(0, "ms"), "0\u2009ms");
});

test("a small share does not read as none", () => {
  assert.equal(percent(0.0004), "0.04\u2009%");
  assert.equal(percent(0), "0\u2009%");
  assert.equal(percent(0.031), "3.1\u2009%");
});

test("a clock carries into the next minute and hour", () => {
  assert.equal(clock(59.96, 1), "1:00.0");
  assert.equal(clock(3599.7), "1:00:00");
  assert.equal(clock(61), "1:01");
});

test("lengths are said in the unit that fits", () => {
  assert.equal(duration(2.5), "2.5\u2009s");
  assert.equal(duration(1805.556), "30\u2009min");
  assert.equal(duration(86400), "24.0\u2009h");
});
