// What the server does now: drawn every two seconds from what it counts, and kept while the page is open.

import { html } from '../view.js';
import { request, text } from '../api.js';
import { Chart } from '../controls/chart.js';
import { Digest } from '../controls/digest.js';
import { Quantity } from '../controls/quantity.js';
import { Empty, none, Shown, useLoaded } from '../controls/loaded.js';
import { Table } from '../controls/table.js';
import { Time } from '../controls/time.js';
import { count, size, words } from '../format.js';
import { mayAll } from '../frame/may.js';
import { href } from '../frame/route.js';
import { between, grown, parse } from './metrics.js';

const EVERY = 2_000;
/** Moments that are kept: a quarter of an hour. */
const MOST = 450;

/** What was seen so far; it outlives the room. `refused` is when each kind of refusal was last seen to grow, ms since 1970. @type {{times: number[], moments: import('./metrics.js').Moment[], refused: Map<string, number>, last: {at: number, reading: import('./metrics.js').Reading} | null}} */
const seen = { times: [], moments: [], refused: new Map(), last: null };

/** What answers refused or failed, by the kind of problem. */
const PROBLEMS = 'einthoven_problems_total';

/** @param {Record<string, string>} labels */
const kindOf = ({ type, status }) => `${type} ${status}`;

/** @param {AbortSignal} signal */
async function look(signal) {
  const reading = parse(await text('/metrics', { signal }));
  const at = Date.now() / 1000;
  if (seen.last && at - seen.last.at > 0.5) {
    seen.times = [...seen.times, at].slice(-MOST);
    seen.moments = [...seen.moments, between(seen.last.reading, reading, at - seen.last.at)].slice(-MOST);
    for (const labels of grown(seen.last.reading, reading, PROBLEMS)) seen.refused.set(kindOf(labels), 1000 * at);
  }
  if (!seen.last || at - seen.last.at > 0.5) seen.last = { at, reading };
  return { reading, times: seen.times, moments: seen.moments };
}

/** @param {{session: import('../app.js').RoomProperties['session']}} properties */
export function Live({ session }) {
  const counts = mayAll(session.grants, 'models.read');
  return html`${counts ? html`<${Counted} />` : html`<p class="quiet">What the server counts as a whole is shown to those who may look at all models.</p>`}<${Instances} />
    <${Limits} />${mayAll(session.grants, 'admin') && html`<${Rates} />`}`;
}

/** What a request may bring, and which program answers. */
function Limits() {
  const system = useLoaded((signal) => request('/v1/system', { signal }), []);
  return html`<section class="block" aria-labelledby="limits-title"><h2 id="limits-title">Limits</h2>
    <${Shown} of=${system} rows=${1}>${(/** @type {import('openapi').System} */ { name, version, limits, memory }) => html`<dl class="terms">
      <div><dt>Program</dt><dd>${name} ${version}</dd></div>
      <div><dt>Body of a request</dt><dd class="number">${size(limits.body_bytes)}</dd></div>
      <div><dt>Requests of one address</dt><dd>${limits.address_rate ? html`<${Quantity} value=${limits.address_rate.per_second} unit="/s" />, <${Quantity} value=${limits.address_rate.burst} /> at once after a pause` : 'not limited'}</dd></div>
      <div><dt>Memory of models</dt><dd class="number">${size(memory.budget_bytes)}</dd></div></dl>`}<//></section>`;
}

/** How much programs may ask, by their keys. */
function Rates() {
  const keys = useLoaded((signal) => request('/v1/keys', { signal }), []);
  const columns = /** @type {import('../controls/table.js').Column<import('openapi').ApiKey>[]} */ ([
    { head: 'Key', cell: (one) => one.name },
    { head: 'In the long run', numeric: true, cell: (one) => (one.rate ? html`<${Quantity} value=${one.rate.per_second} unit="/s" digits=${one.rate.per_second % 1 ? 2 : 0} />` : html`<span class="quiet">unlimited</span>`) },
    { head: 'At once after a pause', numeric: true, cell: (one) => (one.rate ? html`<span class="number">${one.rate.burst}</span>` : '\u2013') },
  ]);
  return html`<section class="block" aria-labelledby="rates-title"><header><h2 id="rates-title">Rates</h2><a class="button" href=${href('access', 'keys')}>Keys</a></header>
    <${Shown} of=${keys} rows=${2} isEmpty=${none} empty=${html`<${Empty}>No program has a key. People who are signed in are not limited.<//>`}>
      ${(/** @type {import('openapi').ApiKeyList} */ list) => html`<${Table} caption="Rates of keys" columns=${columns} rows=${list.items} id=${(/** @type {import('openapi').ApiKey} */ one) => one.id} />`}<//></section>`;
}

function Counted() {
  const now = useLoaded(look, [], EVERY);
  return html`<section class="block" aria-labelledby="now-title"><h2 id="now-title">Now</h2><${Shown} of=${now} rows=${4}>${(/** @type {Awaited<ReturnType<typeof look>>} */ { reading, times, moments }) => {
    const line = (/** @type {keyof import('./metrics.js').Moment} */ name, /** @type {string} */ label, colour = '--accent') => ({ label, colour, values: moments.map((moment) => moment[name]) });
    const lately = (/** @type {import('./metrics.js').Point} */ { labels }) => seen.refused.get(kindOf(labels)) ?? 0;
    const problems = (reading.get(PROBLEMS) ?? []).filter(({ value }) => value > 0).sort((a, b) => lately(b) - lately(a) || b.value - a.value);
    const budget = (reading.get('einthoven_model_memory_budget_bytes') ?? [])[0]?.value;
    return html`<div class="charts">
        <${Chart} title="Requests" unit="/s" digits=${1} times=${times} series=${[line('answered', 'answered'), line('refused', 'refused', '--warn'), line('failed', 'failed', '--bad')]} />
        <${Chart} title="Until the answer" unit="ms" digits=${1} times=${times} series=${[line('p50', 'median'), line('p95', '95\u2009%', '--challenger')]} />
        <${Chart} title="In a model, on average" unit="ms" digits=${1} times=${times} series=${[line('computed', 'computing'), line('queued', 'waiting', '--challenger')]} />
        <${Chart} title="Rows through models" unit="/s" times=${times} series=${[line('rows', 'rows')]} />
        <${Chart} title="Rows of one run, on average" unit="" digits=${1} times=${times} series=${[line('batch', 'rows')]} />
        <${Chart} title="Under way" unit="" times=${times} series=${[line('flight', 'requests'), line('pending', 'model calls', '--challenger')]} />
        <${Chart} title="Processors" unit="cores" digits=${2} times=${times} series=${[line('cores', 'in use')]} />
        <${Chart} title="Memory of the process" unit="MiB" times=${times} series=${[line('process', 'resident')]} />
        <${Chart} title=${`Models count as${budget ? `, of ${size(budget)}` : ''}`} unit="MiB" times=${times} series=${[line('models', 'counted')]} />
      </div>
      <details><summary>The last minute as a table</summary><${Table} caption="The last minute" rows=${times.map((time, index) => ({ time, ...moments[index] })).slice(-30).reverse()} id=${(/** @type {any} */ row) => row.time} columns=${[
        { head: 'Time', cell: (/** @type {any} */ row) => new Date(1000 * row.time).toLocaleTimeString([], { hourCycle: 'h23' }) },
        ...[['Answered, /s', 'answered', 1], ['Refused, /s', 'refused', 1], ['Failed, /s', 'failed', 1], ['Median, ms', 'p50', 1], ['95\u2009%, ms', 'p95', 1], ['Rows, /s', 'rows', 0], ['Under way', 'flight', 0]].map(([head, key, digits]) => ({ head: String(head), numeric: true, cell: (/** @type {any} */ row) => row[key]?.toFixed(digits) ?? '\u2013' })),
      ]} /></details>
      <h3 class="after">Recent refusals and faults</h3>
      ${problems.length === 0 ? html`<p class="quiet">None.</p>` : html`<${Table} caption="Refusals and faults" rows=${problems.slice(0, 12)} id=${(/** @type {import('./metrics.js').Point} */ row) => kindOf(row.labels)} columns=${[
        { head: 'What', cell: (/** @type {import('./metrics.js').Point} */ row) => words(row.labels.type.replace(/^\/problems\//, '')) },
        { head: 'Status', cell: (/** @type {import('./metrics.js').Point} */ row) => row.labels.status },
        { head: 'Last seen', cell: (/** @type {import('./metrics.js').Point} */ row) => (lately(row) ? html`<${Time} at=${new Date(lately(row)).toISOString()} />` : html`<span class="quiet">before this page was opened</span>`) },
        { head: 'Since the start', numeric: true, cell: (/** @type {import('./metrics.js').Point} */ row) => html`<span class="number">${count(row.value)}</span>` },
      ]} />`}`;
  }}<//></section>`;
}

/** @typedef {import('openapi').LoadedVersion} Instance */

function Instances() {
  const loaded = useLoaded((signal) => request('/v1/instances', { signal }), [], 5_000);
  const columns = /** @type {import('../controls/table.js').Column<Instance>[]} */ ([
    { head: 'Version', cell: (one) => html`<a href=${href('models', one.model, one.version)}>${one.model} ${one.version}</a>` },
    { head: 'Engine', cell: (one) => html`${one.engine} <span class="quiet">${one.provider}</span>` },
    { head: 'File', wide: true, cell: (one) => html`<span class="mono">${one.file}</span>` },
    { head: 'Device', cell: (one) => one.device },
    { head: 'Digest', cell: (one) => html`<${Digest} of=${one.digest} />` },
  ]);
  return html`<section class="block" aria-labelledby="loaded-title"><h2 id="loaded-title">Loaded</h2>
    <${Shown} of=${loaded} isEmpty=${none} empty=${html`<${Empty}>No version is loaded. One is when it is to answer, or asked for.<//>`}>
      ${(/** @type {import('openapi').LoadedVersions} */ list) => html`<p class="quiet">${list.memory.versions} ${list.memory.versions === 1 ? 'version counts' : 'versions count'} as <span class="number">${size(list.memory.counted_bytes)}</span> of <span class="number">${size(list.memory.budget_bytes)}</span>.</p>
        <${Table} caption="Loaded versions" columns=${columns} rows=${list.items} id=${(/** @type {Instance} */ one) => `${one.model}/${one.version}`} />`}<//></section>`;
}
