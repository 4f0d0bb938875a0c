// The built client against a running server: `live.mjs URL RECORD MODELS RECORDS`, with the owner's key in EINTHOVEN_KEY. MODELS is the
// folder of the repository's models, RECORDS one of WFDB records with reference beats.

import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { answered, Einthoven, EinthovenError } from 'einthoven-client';
import { record } from 'einthoven-client/node';

const [url, name, models, records] = process.argv.slice(2);
const PATIENCE_MS = 120_000;
const client = new Einthoven({ url });

const result = await client.classify(await record(name), { subject: 'p-17' });
assert.ok(result.beats.length > 300);
assert.equal(result.recording.sampling_rate_hz, 360);

const job = await client.submit(await record(name));
const events = await Array.fromAsync?.(client.events(job.id)) ?? [];
if (events.length) assert.equal(events.at(-1).state, 'done');
assert.deepEqual((await client.result(job)).beats.map((beat) => beat.sample), result.beats.map((beat) => beat.sample));

const values = new File(['II\n' + '0.1\n'.repeat(2000)], 'a.csv');
const missing = await client.classify([values], { unit: 'mV' }).catch((cause) => cause);
assert.ok(missing instanceof EinthovenError);
assert.deepEqual([missing.code, missing.problem.status, missing.problem.errors[0].pointer], ['missing_field', 422, 'sampling_rate']);
const stranger = new Einthoven({ url, key: 'no-such-key' });
const unknown = await stranger.submit(await record(name)).catch((cause) => cause);
assert.equal(unknown.code, 'credential_refused');

async function packed(from, fields) {
  const file = async (/** @type {string} */ called) => readFile(join(models, from, called));
  const manifest = { ...JSON.parse(String(await file('manifest.json'))), ...fields };
  return [
    new File([await file('golden.json')], 'golden.json'),
    new File([await file('model.onnx')], 'model.onnx'),
    new File([JSON.stringify(manifest)], 'manifest.json'),
  ];
}
const model = 'from-typescript';
answered(await client.api.POST('/v1/models', { body: { name: model } }));
for (const version of ['1', '2']) {
  const added = await client.addVersion(model, await packed('heartbeat-row', { description: `typescript ${version}` }), { version });
  assert.equal(added.phase.state, 'ready');
  assert.equal((await client.promote(model, version, 'a test')).champion, version);
}
assert.equal((await client.rollBack(model)).champion, '1');

const names = [];
for await (const one of client.pages((query) => client.api.GET('/v1/models', { params: { query: { ...query, limit: 1 } } }))) names.push(one.name);
assert.ok(names.includes(model) && names.length > 2);

// Labels, the journal, and two versions compared.
await client.addVersion('heartbeat', await packed('heartbeat', { labels: ['V', 'S', 'N', 'F'] }), { version: 'from-typescript' });
const begun = { name: 'typescript', model: 'heartbeat', shadows: [{ version: 'from-typescript', percent: 100 }] };
answered(await client.api.POST('/v1/experiments', { body: begun }));
const references = (await readdir(records)).filter((file) => file.endsWith('.atr'));
let last;
for (const file of references) {
  const subject = file.slice(0, -'.atr'.length);
  last = await client.classify(await record(join(records, subject)), { subject });
  const taken = await client.refer(last.prediction, new Blob([await readFile(join(records, file))]), 'reference');
  assert.ok(taken.matched > 30 && taken.new > 30);
}
const path = { id: last.prediction };
const kept = answered(await client.api.GET('/v1/predictions/{id}', { params: { path } }));
assert.equal(kept.beats.length, last.beats.length);
const body = { marks: [{ at: last.beats[3].sample, is: 'class', class: 'V' }] };
assert.equal(answered(await client.api.POST('/v1/predictions/{id}/labels', { params: { path }, body })).new, 1);
const remembered = [];
const page = (query) => client.api.GET('/v1/predictions', { params: { query: { ...query, limit: 2 } } });
for await (const one of client.pages(page)) remembered.push(one.id);
assert.ok(remembered.includes(last.prediction) && new Set(remembered).size === remembered.length);
const wrong = answered(await client.api.GET('/v1/misclassified', { params: { query: { model: 'heartbeat', limit: 200 } } }));
assert.ok(wrong.items.some((beat) => beat.prediction === last.prediction));

// Shadows compute when a core is free.
const asked = { params: { path: { name: begun.name }, query: { challenger: 'from-typescript' } } };
const end = Date.now() + PATIENCE_MS;
for (;;) {
  const verdict = answered(await client.api.GET('/v1/experiments/{name}/verdict', asked));
  if (verdict.numbers.both === references.length) {
    assert.equal(verdict.numbers.labelled, references.length);
    assert.match(verdict.sentence, /Too early/);
    break;
  }
  assert.ok(Date.now() < end, JSON.stringify(verdict));
  await new Promise((done) => setTimeout(done, 50));
}
const stopped = answered(await client.api.DELETE('/v1/experiments/{name}', { params: { path: { name: begun.name } } }));
assert.equal(stopped.running, false);
const none = await client.rollBack('no-such-model').catch((cause) => cause);
assert.deepEqual([none.code, none.problem.status], ['no_such_model', 404]);

const grants = { name: 'slow-typescript', grants: ['models.read'], rate: { per_second: 0.5, burst: 1 }, expires_at: null };
const { key } = answered(await client.api.POST('/v1/keys', { body: grants }));
let tokens = 0;
const token = () => {
  tokens += 1;
  return key;
};
const slow = new Einthoven({ url, key: token });
for (let turn = 0; turn < 2; turn += 1) answered(await slow.api.GET('/v1/models'));
assert.equal(tokens, 2, 'asked anew for every call');
const hasty = new Einthoven({ url, key, retries: 0 });
const statuses = [];
for (let turn = 0; turn < 3; turn += 1) statuses.push((await hasty.api.GET('/v1/models')).response.status);
assert.ok(statuses.includes(429), String(statuses));
console.log('all of them');
