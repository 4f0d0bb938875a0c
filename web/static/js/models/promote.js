// Who answers: promoted with what changes in view, rolled back with a reason, stopped.

import { html, useState } from '../view.js';
import { path, request } from '../api.js';
import { Dialog } from '../controls/dialog.js';
import { Field } from '../controls/field.js';
import { Shown, useLoaded } from '../controls/loaded.js';
import { shortDigest, size } from '../format.js';
import { engineOf, inWords, lacks, model as load, version as detail } from './api.js';

/** Fields of a manifest by which a version is served; the rest are its maker's notes. */
const SERVED = ['recipe', 'labels', 'inputs', 'outputs', 'feeds', 'variants', 'isolation', 'device', 'instances', 'max_batch_rows', 'warm_up_rows'];

/** Fields of two manifests by which the versions would be served differently, as text. @param {any} before @param {any} after @returns {[string, string, string][]} */
export function differences(before, after) {
  const text = (/** @type {any} */ value) => (value === undefined ? 'not stated' : typeof value === 'string' ? value : JSON.stringify(value).replaceAll('"', '').replaceAll(',', ', '));
  return SERVED.map((name) => /** @type {[string, string, string]} */ ([name.replaceAll('_', ' '), text(before?.[name]), text(after?.[name])])).filter(([, was, is]) => was !== is);
}

/** @param {import('./api.js').Version | undefined} version */
const bytes = (version) => version?.files?.reduce((sum, file) => sum + file.size_bytes, 0);

/** @param {import('./api.js').Model} model @param {string} version */
const manifest = async (model, version) => (await detail(model.name, version)).manifest ?? {};

/** @param {{model: import('./api.js').Model, version: import('./api.js').Version, who: string, close: () => void, done: () => Promise<void>}} properties */
export function Promote({ model, version, who, close, done }) {
  const [reason, setReason] = useState('');
  const champion = model.traffic.champion ? model.versions[model.traffic.champion] : undefined;
  const changes = useLoaded(async () => {
    const [was, is] = await Promise.all([champion ? manifest(model, champion.name) : {}, manifest(model, version.name)]);
    return differences(was, is);
  }, []);
  const findings = lacks(model, version, who);
  const act = async () => {
    await request(path`/v1/models/${model.name}/traffic`, { method: 'PUT', seen: model.revision, json: { champion: version.name, reason: reason.trim() || undefined } });
    await done();
  };
  const others = [...(model.traffic.splits ?? []), ...(model.traffic.shadows ?? [])];
  return html`<${Dialog} title=${`Promote ${model.name} ${version.name}`} verb=${`Promote version ${version.name}`} wide=${true} close=${close} act=${act}>
    <p>${champion ? html`Version <strong>${version.name}</strong> answers in place of version <strong>${champion.name}</strong>, between two requests; none is dropped.` : html`Version <strong>${version.name}</strong> answers; nothing does now.`}
      ${others.length > 0 && html` The experiment with ${others.map((one) => one.version).join(', ')} ends.`} A rollback undoes it.</p>
    <h3>What changes</h3>
    <${Shown} of=${changes} rows=${2}>${(/** @type {[string, string, string][]} */ rows) => html`<table class="cards diff"><caption class="visually-hidden">What changes</caption>
      <thead><tr><th scope="col">Field</th><th scope="col">${champion ? `Now, ${champion.name}` : 'Now'}</th><th scope="col">Then, ${version.name}</th></tr></thead>
      <tbody>${[['files', champion ? `${shortDigest(champion.digest ?? '')}, ${size(bytes(champion))}` : 'none', `${shortDigest(version.digest ?? '')}, ${size(bytes(version))}`], ['engine', engineOf(champion?.phase), engineOf(version.phase)], ...rows].map(([name, was, is]) => html`<tr key=${name}><th scope="row">${name}</th><td data-label="Now" class="wide">${was}</td>
        <td data-label="Then" class=${was === is ? 'wide quiet' : 'wide changed'}>${was === is ? 'the same' : is}</td></tr>`)}</tbody></table>`}<//>
    ${findings.length > 0 && html`<div class="findings"><h3>What the gate asks for</h3><ul>${findings.map((finding) => html`<li key=${finding}>${finding}</li>`)}</ul></div>`}
    <div class="fields"><${Field} label="Reason" value=${reason} set=${setReason} hint="Stands in the history and in the log." /></div>
  <//>`;
}

/** The way back: one click to here, one to do it. @param {{name: string, close: () => void, done: () => unknown}} properties */
export function RollBack({ name, close, done }) {
  const [reason, setReason] = useState('');
  const found = useLoaded((signal) => load(name, signal), [name]);
  const model = found.value;
  const back = model?.past.at(-1);
  const target = back?.champion ? `version ${back.champion}` : 'nothing';
  const act = async () => {
    await request(path`/v1/models/${name}/rollback`, { method: 'POST', seen: model?.revision, json: { reason: reason.trim() || undefined } });
    await done();
  };
  return html`<${Dialog} title=${`Roll back ${name}`} verb=${back ? `Roll back to ${target}` : 'Roll back'} danger=${true} ready=${back !== undefined} close=${close} act=${act}>
    <${Shown} of=${found} rows=${1}>${() => (back
      ? html`<p>${inWords(model?.traffic).replace(/^./, (first) => first.toUpperCase())} answers now. After this, <strong>${inWords(back)}</strong> answers again, from the next request on. Promote version ${model?.traffic.champion} to undo it.</p>`
      : html`<p>Nothing answered before: there is nothing to go back to.</p>`)}<//>
    <div class="fields"><${Field} label="Reason" value=${reason} set=${setReason} hint="What was wrong, for whoever looks later." /></div>
  <//>`;
}
