// The built client against a running server: `live.mjs URL RECORD MODEL_FOLDER`, with the owner's key in EINTHOVEN_KEY.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { answered, Einthoven, EinthovenError } from 'einthoven-client';
import { record } from 'einthoven-client/node';

const [url, name, folder] = process.argv.slice(2);
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

async function packed(description) {
  const file = async (/** @type {string} */ called) => readFile(join(folder, called));
  const manifest = { ...JSON.parse(String(await file('manifest.json'))), description };
  return [
    new File([await file('golden.json')], 'golden.json'),
    new File([await file('model.onnx')], 'model.onnx'),
    new File([JSON.stringify(manifest)], 'manifest.json'),
  ];
}
const model = 'from-typescript';
answered(await client.api.POST('/v1/models', { body: { name: model } }));
for (const version of ['1', '2']) {
  const added = await client.addVersion(model, await packed(`typescript ${version}`), { version });
  assert.equal(added.phase.state, 'ready');
  assert.equal((await client.promote(model, version, 'a test')).champion, version);
}
assert.equal((await client.rollBack(model)).champion, '1');

const names = [];
for await (const one of client.pages((query) => client.api.GET('/v1/models', { params: { query: { ...query, limit: 1 } } }))) names.push(one.name);
assert.ok(names.includes(model) && names.length > 2);

const grants = { name: 'slow-typescript', grants: ['models.read'], rate: { per_second: 0.5, burst: 1 }, expires_at: null };
const { key } = answered(await client.api.POST('/v1/keys', { body: grants }));
const slow = new Einthoven({ url, key: () => key });
for (let turn = 0; turn < 2; turn += 1) answered(await slow.api.GET('/v1/models'));
console.log('all of them');
