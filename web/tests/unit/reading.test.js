import assert from "node:assert/strict";
import { test } from "node:test";
import { measure, nearest, snapped } from "../../static/js/recordings/trace/calipers.js";
import { height, layouts, views } from "../../static/js/recordings/trace/layout.js";
import { clusters, correlation, shape, spread } from "../../static/js/recordings/clusters.js";
import { csv } from "../../static/js/recordings/downloads.js";
import { happenings } from "../../static/js/recordings/events.js";
import { heard } from "../../static/js/recordings/labels.js";
import { around, histogram, intervals } from "../../static/js/recordings/rhythm.js";

/** @param {number} time @param {string | null} name @returns {import("../../static/js/recordings/api.js").Beat} */
const beat = (time, name) => ({ sample: Math.round(360 * time), time_s: time, class: name, quality: "good" });

test("a leg near a peak stands on it, and intervals are exact", () => {
  const beats = [beat(0.4, "N"), beat(1.2, "N"), beat(2, "V")];
  assert.equal(snapped(beats, 1.17, 0.1), 1.2);
  assert.equal(snapped(beats, 1.05, 0.1), 1.05);
  assert.equal(nearest(beats, 9), 2);
  assert.equal(nearest([], 9), -1);
  const found = measure({ lead: "II", time: [2, 1.2], level: [0.2, 1.3] });
  assert.ok(Math.abs(found.ms - 800) < 1e-9 && Math.abs(found.millivolts - 1.1) < 1e-9);
  assert.equal(measure({ lead: "II", time: [1, 1], level: [0, 0] }).perMinute, null);
});

test("layouts of twelve leads need all twelve, and columns follow each other in time", () => {
  const names = ["I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"];
  const leads = names.map((name) => ({ name: `ECG ${name}`, standard: name }));
  assert.deepEqual(layouts(leads, "ECG II").map((one) => one.id), ["strip", "3x4+1", "6x2", "12x1"]);
  assert.deepEqual(layouts(leads.slice(1), "ECG II").map((one) => one.id), ["strip", "all"]);
  assert.deepEqual(layouts([{ name: "MLII", standard: null }], "MLII").map((one) => one.id), ["strip"]);
  const layout = layouts(leads, "ECG II")[1];
  const [mm, width] = [4, 1250];
  const shown = views(layout, { width, height: height(layout, mm, width), mm, from: 0, duration: 10, speed: 25, gain: 10, gridded: true });
  assert.equal(shown.length, 13);
  // Ten seconds at 25 mm/s are 250 mm, and each column is a quarter of them.
  for (const [lead, from] of /** @type {[string, number][]} */ ([["ECG I", 0], ["ECG aVR", 2.5], ["ECG V1", 5], ["ECG V6", 7.5]])) {
    const view = shown.find((one) => one.lead === lead);
    assert.equal(view?.from, from, lead);
    assert.equal(view?.to, from + 2.5, lead);
    assert.equal(view?.pixelsPerMillivolt, 40);
  }
});

test("beats of like shape come together, whatever their size, and others do not", () => {
  const wave = (/** @type {number} */ centre, /** @type {number} */ width, /** @type {number} */ size) => Array.from({ length: 70 }, (_, at) => size * Math.exp(-(((at - centre) / width) ** 2)));
  const one = (/** @type {string} */ name, /** @type {number[]} */ form, /** @type {number} */ at) => ({ sample: at, time: at, name, shape: form });
  const beats = [...Array.from({ length: 20 }, (_, at) => one("N", wave(25, 2, 1 + at / 40), at)), ...Array.from({ length: 5 }, (_, at) => one("V", wave(32, 9, -1.5), 100 + at)), one("S", wave(26, 2, 1.1), 200)];
  const found = clusters(beats);
  assert.deepEqual(found.map((cluster) => [cluster.name, cluster.members.length]), [["N", 21], ["V", 5]]);
  assert.ok(correlation(wave(25, 2, 1), wave(26, 2, 3)) > 0.99, "a shift of one point is no other shape");
  assert.ok(correlation(wave(25, 2, 1), wave(25, 2, -1)) < 0);
});

test("a shape needs the whole of its signal", () => {
  const signal = { lead: "II", sampling_rate_hz: 100, from_s: 0, to_s: 2, samples_per_point: 1, min_mv: new Array(200).fill(0.5), max_mv: new Array(200).fill(0.5) };
  assert.ok(shape(signal, 1)?.every((value) => Math.abs(value) < 1e-9));
  assert.equal(shape(signal, 0.1), null);
  assert.equal(shape({ ...signal, min_mv: signal.min_mv.map((value, at) => (at === 100 ? null : value)) }, 1), null);
});

test("where there are too many beats, the odd ones are kept and normal ones spread", () => {
  const beats = Array.from({ length: 1000 }, (_, at) => beat(at, at % 50 === 0 ? "V" : "N"));
  const kept = spread(beats, 100);
  assert.equal(kept.length, 100);
  assert.equal(kept.filter((one) => one.class === "V").length, 20);
  assert.ok(kept[kept.length - 1].time_s > 980 && kept.every((one, at) => at === 0 || one.time_s > kept[at - 1].time_s));
});

test("tachycardia and long pauses are read before couplets, the longest first", () => {
  const run = (/** @type {number} */ start, /** @type {number} */ beats, /** @type {boolean} */ tachycardia) => ({ start_s: start, beats, rate_bpm: tachycardia ? 140 : 80, tachycardia });
  const summary = {
    runs: { V: [run(10, 4, false), run(50, 5, true), run(90, 9, true)], S: [run(70, 6, false)] },
    pauses: [{ start_s: 20, duration_s: 2.1 }, { start_s: 30, duration_s: 3.4 }], bigeminy: [{ start_s: 5, end_s: 9, beats: 6 }], trigeminy: [],
  };
  const list = happenings(summary, [beat(1, "N"), beat(2, "V"), beat(2.5, "V"), beat(4, "N")]);
  assert.deepEqual(list.map((one) => one.level), [...list.map((one) => one.level)].sort());
  assert.deepEqual(list.slice(0, 3).map((one) => [one.kind, one.time]), [["ventricular tachycardia", 90], ["ventricular tachycardia", 50], ["pause", 30]]);
  assert.equal(list.filter((one) => one.kind === "ventricular couplet").length, 1);
});

test("intervals leave out what is unreadable, and a histogram counts them all", () => {
  const found = intervals([beat(0, "N"), beat(0.79, "N"), beat(1.6, null), beat(2.4, "N"), beat(2.99, "V")], []);
  assert.deepEqual(found.map((one) => Math.round(one.ms)), [790, 590]);
  const bins = histogram(found);
  assert.deepEqual(bins.filter((bin) => bin.count).map((bin) => [bin.from, bin.count]), [[75, 1], [100, 1]]);
  assert.deepEqual(histogram([]), []);
  // Across what cannot be read beats may be missing: 20 s between two that are seen are no rate of 3 a minute.
  const beats = [beat(0, "N"), beat(0.8, "N"), beat(20.8, "N"), beat(21.6, "N"), beat(30, "N"), beat(30.8, "N")];
  const torn = [[1, 20.5], [22, 29]].map(([start_s, end_s]) => ({ start_s, end_s, reasons: [] }));
  assert.deepEqual(intervals(beats, torn).map((one) => one.time), [0.8, 21.6, 30.8]);
  assert.deepEqual(around(beats, 1, torn).map((ms) => ms && Math.round(ms)), [800, null]);
  assert.deepEqual(around(beats, 0, []), [null, 800]);
});

test("a reader's word lies over the model's and does not replace it", () => {
  const said = heard(beat(1, "N"), { is: "class", class: "V" });
  assert.deepEqual([said.class, said.said, said.relabelled], ["V", "N", true]);
  assert.equal(heard(beat(1, "N"), { is: "class", class: "N" }).relabelled, undefined);
  assert.equal(heard(beat(1, "N"), null).class, "N");
  const model = { name: "a,b", version: "1", digest: "sha256:00", labels: ["N", "V"] };
  const text = csv(/** @type {any} */ ({ model }), [said]);
  assert.equal(text, 'sample,time_s,class,label,quality,p_N,p_V,model,version,digest\r\n360,1,N,V,good,,,"a,b",1,sha256:00\r\n');
});
