// What the server counts, read from its exposition for Prometheus, and what follows from two readings.

/** @typedef {{labels: Record<string, string>, value: number}} Point */
/** @typedef {Map<string, Point[]>} Reading */

/** Asked by this room itself: they would show its own questions as traffic. */
const OWN = new Set(['/metrics', '/v1/instances', '/v1/jobs']);

/** @param {string} text @returns {Reading} */
export function parse(text) {
  /** @type {Reading} */
  const reading = new Map();
  for (const line of text.split('\n')) {
    const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)/.exec(line);
    if (!match) continue;
    /** @type {Record<string, string>} */
    const labels = {};
    for (const [, name, value] of (match[2] ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) labels[name] = value.replace(/\\(.)/g, (_, letter) => (letter === 'n' ? '\n' : letter));
    const points = reading.get(match[1]) ?? [];
    points.push({ labels, value: match[3] === '+Inf' ? Infinity : Number(match[3]) });
    reading.set(match[1], points);
  }
  return reading;
}

/** The sum over the series of a name that are wanted. @param {Reading} reading @param {string} name @param {(labels: Record<string, string>) => boolean} [wanted] */
export const sum = (reading, name, wanted = () => true) => (reading.get(name) ?? []).reduce((total, { labels, value }) => (wanted(labels) ? total + value : total), 0);

/** @param {Record<string, string>} labels */
const ofClients = (labels) => !OWN.has(labels.route);

/** Counts below each bound, over all routes of clients. @param {Reading} reading @returns {Map<number, number>} */
function buckets(reading) {
  const counts = new Map();
  for (const { labels, value } of reading.get('einthoven_http_request_duration_seconds_bucket') ?? []) {
    if (!ofClients(labels)) continue;
    const bound = labels.le === '+Inf' ? Infinity : Number(labels.le);
    counts.set(bound, (counts.get(bound) ?? 0) + value);
  }
  return counts;
}

/** The value below which a share of what was counted lies, as Prometheus reckons it; null where nothing was. @param {[number, number][]} counts bounds with the counts below them @param {number} share */
export function quantile(counts, share) {
  const sorted = [...counts].sort((a, b) => a[0] - b[0]);
  const total = sorted.at(-1)?.[1] ?? 0;
  if (!(total > 0)) return null;
  const rank = share * total;
  const index = sorted.findIndex(([, count]) => count >= rank);
  const [bound, count] = sorted[index];
  const [below, before] = index > 0 ? sorted[index - 1] : [0, 0];
  if (bound === Infinity) return below;
  return below + (bound - below) * ((rank - before) / Math.max(count - before, 1e-12));
}

/** The series of a name that count more than before; a series that was not there began at zero. @param {Reading} before @param {Reading} now @param {string} name @returns {Record<string, string>[]} their labels */
export function grown(before, now, name) {
  const was = new Map((before.get(name) ?? []).map(({ labels, value }) => [JSON.stringify(labels), value]));
  return (now.get(name) ?? []).filter(({ labels, value }) => value > (was.get(JSON.stringify(labels)) ?? 0)).map(({ labels }) => labels);
}

/** What happened between two readings. @param {Reading} before @param {Reading} now @param {number} seconds */
export function between(before, now, seconds) {
  const rate = (/** @type {string} */ name, /** @type {(labels: Record<string, string>) => boolean} */ wanted = () => true) => Math.max(0, sum(now, name, wanted) - sum(before, name, wanted)) / seconds;
  const requests = (/** @type {string} */ status) => rate('einthoven_http_requests_total', (labels) => ofClients(labels) && labels.status === status);
  const was = buckets(before);
  const spread = /** @type {[number, number][]} */ ([...buckets(now)].map(([bound, count]) => [bound, Math.max(0, count - (was.get(bound) ?? 0))]));
  const mean = (/** @type {string} */ name) => {
    const count = rate(`${name}_count`);
    return count > 0 ? rate(`${name}_sum`) / count : null;
  };
  const thousand = (/** @type {number | null} */ value) => (value === null ? null : 1000 * value);
  return {
    answered: requests('2xx') + requests('3xx'),
    refused: requests('4xx'),
    failed: requests('5xx'),
    p50: thousand(quantile(spread, 0.5)),
    p95: thousand(quantile(spread, 0.95)),
    queued: thousand(mean('einthoven_model_queue_duration_seconds')),
    computed: thousand(mean('einthoven_model_compute_duration_seconds')),
    batch: mean('einthoven_model_batch_rows'),
    rows: rate('einthoven_model_rows_total'),
    flight: sum(now, 'einthoven_http_requests_in_flight'),
    pending: sum(now, 'einthoven_model_pending_calls'),
    models: sum(now, 'einthoven_model_memory_bytes') / 1048576,
    process: sum(now, 'process_resident_memory_bytes') / 1048576,
    cores: rate('process_cpu_seconds_total'),
  };
}

/** @typedef {ReturnType<typeof between>} Moment */
