// One version: how it was judged, what it needs and gives, its card and its files.

import { html, useState } from '../view.js';
import { path, Refusal, text } from '../api.js';
import { Copy, Digest } from '../controls/digest.js';
import { Shown, useLoaded } from '../controls/loaded.js';
import { sentence } from '../controls/said.js';
import { Table } from '../controls/table.js';
import { Time } from '../controls/time.js';
import { size } from '../format.js';
import { called, may } from '../frame/may.js';
import { usePlace } from '../frame/place.js';
import { href } from '../frame/route.js';
import { cameFrom, engines, model as load, verification, version as detail } from './api.js';
import { Card } from './card.js';
import { Engines } from './engines.js';
import { Promote } from './promote.js';
import { PhaseState, Standing } from './states.js';

/** What the server has, or null where it has none of it. @template T @param {Promise<T>} asked @returns {Promise<T | null>} */
const orNull = (asked) => asked.catch((cause) => {
  if (cause instanceof Refusal && cause.problem.status >= 400 && cause.problem.status < 500) return null;
  throw cause;
});

/** @param {string} name @param {string} version @param {AbortSignal} signal */
async function everything(name, version, signal) {
  const at = path`/v1/models/${name}/versions/${version}`;
  const [model, found, verdict] = await Promise.all([load(name, signal), detail(name, version, signal), verification(name, version, signal)]);
  const card = found.files?.some((file) => file.name === 'CARD.md') ? await orNull(text(`${at}/files/CARD.md`, { signal })) : null;
  // What came with the program was tried when it was built; how fast it is here is known where it answers.
  const measured = 'report' in verdict.verification ? verdict.verification.report : null;
  const table = measured ?? (model.traffic.champion === version ? await orNull(engines(name, signal)) : null);
  const chosen = found.phase.state === 'ready' ? found.phase.engine : undefined;
  const serves = table && 'engine' in table ? { engine: table.engine, file: table.file } : { engine: chosen, file: undefined };
  return { model, found, card, table, serves };
}

/** How a recording becomes its input; null where it takes tensors alone. @param {any} manifest */
const recipe = (manifest) => manifest?.recipe ?? null;

/** What a program sends, as a shell has it. @param {string} name @param {string} version */
const command = (name, version) => [
  'curl --header "X-Api-Key: $EINTHOVEN_KEY"', `--form model=${name}/${version}`, '--form file=@RECORD.hea --form file=@RECORD.dat', `${location.origin}/v1/classify`,
].join(' \\\n  ');

/** @param {{model: string, version: string, session: import('../app.js').RoomProperties['session']}} properties */
export function Version({ model: name, version, session }) {
  const loaded = useLoaded((signal) => everything(name, version, signal), [name, version]);
  const [promoting, setPromoting] = useState(false);
  usePlace({ where: [{ text: 'Models', href: href('models') }, { text: name, href: href('models', name) }, { text: `Version ${version}` }], model: null }, [name, version]);
  return html`<${Shown} of=${loaded} rows=${6}>${(/** @type {Awaited<ReturnType<typeof everything>>} */ { model, found, card, table, serves }) => html`
    <div class="page-head"><div><h1>${name} <span class="quiet">${version}</span></h1>
      <p><${PhaseState} phase=${found.phase} /> ${' '}<${Standing} traffic=${model.traffic} version=${version} /></p></div>
      <div class="actions">${found.phase.state === 'ready' && model.traffic.champion !== version && may(session.grants, 'traffic', name) && html`<button class="primary" onClick=${() => setPromoting(true)}>Promote version ${version}</button>`}</div></div>
    ${found.phase.state === 'rejected' && html`<div class="problem"><h2>Failed at ${found.phase.step?.replaceAll('_', ' ')}</h2><p>${sentence(found.phase.reason ?? '')}</p><p>${sentence(found.phase.remedy ?? '')}</p></div>`}
    <div class="halves">
      <div>
        <section class="block" aria-labelledby="engines-title"><h2 id="engines-title">Engines</h2>
          ${table?.engines?.length ? html`<${Engines} rows=${table.engines} chosen=${serves.engine} file=${serves.file} />` : html`<p class="quiet">${serves.engine ? html`${serves.engine} serves it. How fast the engines are was not measured here.` : 'It was not tried on any engine yet.'}</p>`}</section>
        ${Object.keys(found.evaluations ?? {}).length > 0 && html`<section class="block" aria-labelledby="measured-title"><h2 id="measured-title">Measured on frozen sets</h2>
          <${Table} caption="Measures" columns=${[{ head: 'Set', cell: (/** @type {any} */ row) => row[0] }, { head: 'Recordings', numeric: true, cell: (/** @type {any} */ row) => row[1].recordings }, { head: 'Measures', wide: true, cell: (/** @type {any} */ row) => Object.entries(row[1].metrics).filter(([key]) => !key.startsWith('gross_')).slice(0, 8).map(([key, value]) => html`<span key=${key} class="tag"><span class="mono">${key}</span> ${Number(value).toFixed(3)}</span> `) }, { head: 'When', cell: (/** @type {any} */ row) => html`<${Time} at=${row[1].at} />` }]} rows=${Object.entries(found.evaluations ?? {})} id=${(/** @type {any} */ row) => row[0]} /></section>`}
        ${card !== null && html`<section class="block" aria-labelledby="card-title"><h2 id="card-title">Card</h2><div class="card"><${Card} text=${card} /></div></section>`}
      </div>
      <div>
        <section class="block" aria-labelledby="about-title"><h2 id="about-title">About it</h2>
          <dl class="terms"><div><dt>Digest</dt><dd><${Digest} of=${found.digest} /></dd></div>
            <div><dt>Came</dt><dd>${cameFrom(found.origin)}, <${Time} at=${found.added_at} /> by ${called(found.added_by)}</dd></div>
            <div><dt>Points here</dt><dd>${found.points_here.length ? found.points_here.join(', ') : 'nothing'}</dd></div></dl></section>
        <section class="block" aria-labelledby="manifest-title"><h2 id="manifest-title">Manifest</h2>${found.manifest ? html`<${Manifest} of=${found.manifest} />` : html`<p class="quiet">It has none yet.</p>`}</section>
        ${found.phase.state === 'ready' && recipe(found.manifest) && html`<section class="block" aria-labelledby="asked-title"><header><h2 id="asked-title">How programs ask for it</h2><${Copy} text=${command(name, version)} label="Copy the command" class="" /></header>
          <pre class="mono command" tabindex="0">${command(name, version)}</pre>
          <p class="quiet small">The <a href=${href('access', 'keys')}>key</a> must allow <span class="mono">predict</span> for ${name}. Without the version, what answers everybody answers.</p></section>`}
        <section class="block" aria-labelledby="files-title"><h2 id="files-title">Files</h2>
          ${found.files?.length ? html`<ul class="plain files">${found.files.map((/** @type {import('./api.js').StoredFile} */ file) => html`<li key=${file.name}><a class="mono" href=${`${path`/v1/models/${name}/versions/${version}`}/files/${file.name.split('/').map(encodeURIComponent).join('/')}`} download>${file.name}</a>
            <span class="number quiet">${size(file.size_bytes)}</span><${Digest} of=${file.sha256} /></li>`)}</ul>` : html`<p class="quiet">They are not here yet.</p>`}</section>
      </div>
    </div>
    ${promoting && html`<${Promote} model=${model} version=${model.versions[version]} who=${session.name} close=${() => setPromoting(false)} done=${loaded.again} />`}`}<//>`;
}

/** @param {{of: any}} properties */
function Manifest({ of }) {
  const tensors = (/** @type {any[]} */ list) => list.map((one) => html`<div key=${one.name}><span class="mono">${one.name}</span> <span class="quiet">${one.dtype} ${(one.dims ?? []).map((/** @type {any} */ dim) => dim ?? 'any').join(' \u00d7 ')}</span></div>`);
  const shown = (/** @type {string} */ key, /** @type {any} */ value) => {
    if (key === 'inputs' || key === 'outputs') return tensors(value);
    if (key === 'labels') return value.map((/** @type {string} */ label) => html`<span key=${label} class="tag">${label}</span> `);
    if (key === 'variants') return value.map((/** @type {any} */ one) => html`<div key=${one.name}><span class="mono">${one.name}</span>${one.tolerance !== undefined && html` <span class="quiet">within ${one.tolerance}</span>`}</div>`);
    return typeof value === 'object' && value !== null ? html`<span class="mono">${JSON.stringify(value)}</span>` : String(value);
  };
  const keys = Object.keys(of).filter((key) => !['name', 'version', 'files'].includes(key));
  return html`<dl class="terms">${keys.map((key) => html`<div key=${key}><dt>${key.replaceAll('_', ' ')}</dt><dd>${shown(key, of[key])}</dd></div>`)}</dl>`;
}
