import assert from "node:assert/strict";
import { test } from "node:test";
import { between, grown, parse, quantile, sum } from "../../static/js/operate/metrics.js";

const reading = (/** @type {number} */ ok, /** @type {number} */ own) => parse(`# HELP einthoven_http_requests_total requests
# TYPE einthoven_http_requests_total counter
einthoven_http_requests_total{route="/v1/classify",method="POST",status="2xx"} ${ok}
einthoven_http_requests_total{route="/metrics",method="GET",status="2xx"} ${own}
einthoven_http_request_duration_seconds_bucket{route="/v1/classify",method="POST",le="0.1"} ${ok / 2}
einthoven_http_request_duration_seconds_bucket{route="/v1/classify",method="POST",le="0.2"} ${ok}
einthoven_http_request_duration_seconds_bucket{route="/v1/classify",method="POST",le="+Inf"} ${ok}
odd{text="a \\"quoted\\" one"} 1
`);

test("labels with quotes and numbers that are infinite are read", () => {
  assert.equal(reading(2, 1).get("odd")?.[0].labels.text, 'a "quoted" one');
  assert.equal(sum(reading(2, 1), "einthoven_http_requests_total"), 3);
});

test("between two readings stands what clients did, not what this page asked itself", () => {
  const moment = between(reading(10, 5), reading(30, 105), 2);
  assert.equal(moment.answered, 10);
  assert.ok(moment.p50 !== null && Math.abs(moment.p50 - 100) < 1e-6, `${moment.p50}`);
  assert.equal(between(reading(10, 5), reading(10, 6), 2).p95, null);
});

test("what counts more than before is found, also where it was not counted before", () => {
  const counts = (/** @type {Record<string, number>} */ kinds) => parse(Object.entries(kinds).map(([type, count]) => `problems{type="${type}"} ${count}`).join("\n"));
  assert.deepEqual(grown(counts({ a: 1, b: 2 }), counts({ a: 1, b: 3, c: 1 }), "problems"), [{ type: "b" }, { type: "c" }]);
  assert.deepEqual(grown(counts({}), counts({}), "problems"), []);
});

test("a quantile lies within its bucket, and above the last bound is that bound", () => {
  assert.equal(quantile([[1, 0], [2, 10]], 0.5), 1.5);
  assert.equal(quantile([[1, 0], [Infinity, 10]], 0.5), 1);
  assert.equal(quantile([], 0.5), null);
});
