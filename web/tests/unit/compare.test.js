import assert from "node:assert/strict";
import { test } from "node:test";
import { challengers } from "../../static/js/compare/api.js";
import { scale } from "../../static/js/compare/forest.js";
import { deciding } from "../../static/js/compare/verdict.js";
import { breaksAt, estimate, figureClass, figureName, measured, points, pointsInterval } from "../../static/js/compare/words.js";

test("differences have a sign, and nothing is a dash", () => {
  assert.equal(points(0.111), "+11.1");
  assert.equal(points(-0.0204), "\u22122.0");
  assert.equal(points(-0.0001), "0.0");
  assert.equal(points(null), "\u2013");
  assert.equal(pointsInterval({ low: -0.188, high: 0.405 }), "\u221218.8 to +40.5");
  assert.equal(estimate(0.851, { low: 0.82, high: 0.88 }), "85.1\u2009%, 82.0 to 88.0");
  assert.equal(estimate(0.851, null), "85.1\u2009%");
});

test("figures are called as people call them", () => {
  assert.equal(figureName("v_f1"), "V F1");
  assert.equal(figureName("s_ppv"), "S positive predictivity");
  assert.equal(figureName("macro_f1"), "Mean F1 of N, S, V");
  assert.equal(figureName("accuracy"), "Accuracy");
  assert.deepEqual(["v_f1", "macro_f1", "accuracy"].map(figureClass), ["V", null, null]);
});

test("figures of recordings have their unit, and rails say at what they break", () => {
  assert.deepEqual(measured("rate_bpm"), ["Heart rate", "/min"]);
  assert.deepEqual(measured("amplitude_mv"), ["Amplitude", "mV"]);
  assert.deepEqual(measured("share_V"), ["Share of V", ""]);
  assert.deepEqual(measured("readable_share"), ["Readable share", ""]);
  assert.equal(breaksAt("errors", 0.02), "2\u2009% more");
  assert.equal(breaksAt("p99", 2), "2 times the champion's");
});

test("the interval of the verdict is the one that its looks ask for", () => {
  const primary = /** @type {any} */ ({ interval: { low: 0.07, high: 0.15 }, sequence: { low: 0.05, high: 0.16, e_value: 30, decided_at: 9 } });
  assert.deepEqual(deciding({ primary, settings: /** @type {any} */ ({ looks: "every" }) }), { low: 0.05, high: 0.16 });
  assert.deepEqual(deciding({ primary, settings: /** @type {any} */ ({ looks: "once" }) }), { low: 0.07, high: 0.15 });
  assert.equal(deciding({ settings: /** @type {any} */ ({ looks: "every" }) }), null);
});

test("a forest plot holds every interval and what matters, with a few ticks", () => {
  const { most, step } = scale([{ name: "a", difference: 0.1, interval: { low: -0.3, high: 0.2 } }, { name: "b", difference: null, interval: null }], 0.02);
  assert.ok(most >= 0.3 && most / step <= 4);
  assert.ok(scale([], 0.05).most >= 0.1);
});

test("everybody beside the champion is listed with what they do", () => {
  const experiment = /** @type {any} */ ({ splits: [{ version: "4", percent: 10 }], shadows: [{ version: "5", percent: 100 }] });
  assert.deepEqual(challengers(experiment).map((one) => [one.version, one.shadow]), [["4", false], ["5", true]]);
});
