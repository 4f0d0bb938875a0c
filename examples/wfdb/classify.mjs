// Classifies a WFDB record: `classify.mjs URL RECORD`, with the key in EINTHOVEN_KEY.

import { Einthoven } from 'einthoven-client';
import { record } from 'einthoven-client/node';

const [url, name] = process.argv.slice(2);
const client = new Einthoven({ url });
const { beats, lead, recording, summary } = await client.classify(await record(name));
console.log(`${recording.name}: ${beats.length} beats, ${summary.rate.mean_bpm.toFixed(0)} per minute, lead ${lead}`);
const counts = {};
for (const beat of beats) counts[beat.class ?? 'unreadable'] = (counts[beat.class ?? 'unreadable'] ?? 0) + 1;
for (const label of Object.keys(counts).sort()) console.log(`  ${label} ${counts[label]}`);
