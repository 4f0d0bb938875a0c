// One model: what answers now, its versions as a timeline, its aliases, and what answered before.

import { html, useState } from '../view.js';
import { Digest } from '../controls/digest.js';
import { Empty, Shown, useLoaded } from '../controls/loaded.js';
import { sentence } from '../controls/said.js';
import { Time } from '../controls/time.js';
import { called, may } from '../frame/may.js';
import { usePlace } from '../frame/place.js';
import { href } from '../frame/route.js';
import { Aliases } from './aliases.js';
import { cameFrom, inWords, model as load, newestFirst } from './api.js';
import { Gate } from './gate.js';
import { Promote, RollBack } from './promote.js';
import { DeleteModel, DeleteVersion, Retire } from './remove.js';
import { PhaseState, Standing } from './states.js';
import { Upload } from './upload.js';

const ACTIONS = { promoted: 'Promoted', set: 'Changed', rolled_back: 'Rolled back', stopped: 'Experiment stopped', withdrawn: 'Challenger withdrawn' };

/** @param {{name: string, session: import('../app.js').RoomProperties['session']}} properties */
export function Model({ name, session }) {
  const [busy, setBusy] = useState(false);
  const found = useLoaded(async (signal) => {
    const model = await load(name, signal);
    setBusy(Object.values(model.versions).some(({ phase }) => phase.state === 'fetching' || phase.state === 'verifying'));
    return model;
  }, [name], busy ? 1_000 : 10_000);
  usePlace({ where: [{ text: 'Models', href: href('models') }, { text: name }], model: null }, [name]);
  return html`<${Shown} of=${found} rows=${6}>${(/** @type {import('./api.js').Model} */ model) => html`<${Whole} model=${model} again=${found.again} session=${session} />`}<//>`;
}

/** @param {{model: import('./api.js').Model, again: () => Promise<void>, session: import('../app.js').RoomProperties['session']}} properties */
function Whole({ model, again, session }) {
  const [open, setOpen] = useState(/** @type {{what: 'promote' | 'back' | 'retire' | 'delete' | 'delete-model' | 'upload', version?: import('./api.js').Version} | null} */ (null));
  const close = () => setOpen(null);
  const moves = may(session.grants, 'traffic', model.name);
  const writes = may(session.grants, 'models.write', model.name);
  const versions = newestFirst(model);
  const { champion } = model.traffic;
  // The one thing that is likely wanted: the newest version that could answer and is newer than what does.
  const next = versions.find(({ phase }) => phase.state === 'ready');
  const newer = next && next.name !== champion && next.added_seq > (champion ? model.versions[champion]?.added_seq ?? 0 : 0) ? next : undefined;
  const last = model.history.at(-1);
  return html`<div class="page-head"><div><h1>${model.name}</h1>
      <p>${champion ? html`${inWords(model.traffic).replace(/^./, (first) => first.toUpperCase())} answers${last && html`, ${ACTIONS[last.action].toLowerCase()} <${Time} at=${last.at} /> by ${called(last.who)}${last.why && html`: ${last.why}`}`}.` : 'Nothing answers.'}
        ${model.description && html` ${sentence(model.description)}`}</p>
      ${model.proposal && html`<p>${called(model.proposal.by)} proposed version ${model.proposal.version} <${Time} at=${model.proposal.at} />; a second person promotes it.</p>`}</div>
      <div class="actions">
        ${writes && html`<button class=${moves && newer ? undefined : 'primary'} onClick=${() => setOpen({ what: 'upload' })}>Upload a version</button>`}
        ${moves && model.past.length > 0 && html`<button onClick=${() => setOpen({ what: 'back' })}>Roll back</button>`}
        ${moves && newer && html`<button class="primary" onClick=${() => setOpen({ what: 'promote', version: newer })}>Promote version ${newer.name}</button>`}</div></div>
    <div class="halves">
      <section class="block" aria-labelledby="versions-title"><h2 id="versions-title">Versions</h2>
        ${versions.length === 0 ? html`<${Empty}>It has no version yet.<//>` : html`<ol class="timeline" aria-label="Versions, newest first">${versions.map((version) => html`<${Step} key=${version.name} model=${model} version=${version} moves=${moves} writes=${writes} open=${setOpen} primary=${version === newer} />`)}</ol>`}
      </section>
      <div>
        <${Aliases} model=${model} moves=${moves} again=${again} />
        <${Gate} model=${model} writes=${writes} again=${again} />
        <section class="block" aria-labelledby="history-title"><h2 id="history-title">What answered</h2>
          ${model.history.length === 0 ? html`<p class="quiet">Nothing yet.</p>` : html`<ol class="history">${[...model.history].reverse().slice(0, 12).map((change) => html`<li key=${change.seq}>
            <strong>${ACTIONS[change.action]}: ${inWords(change.to)}</strong><br /><span class="quiet"><${Time} at=${change.at} /> by ${called(change.who)}, before it ${inWords(change.from)}</span>${change.why && html`<br />${change.why}`}</li>`)}</ol>`}</section>
        ${writes && !champion && Object.keys(model.aliases).length === 0 && html`<p><button class="danger" onClick=${() => setOpen({ what: 'delete-model' })}>Delete the model</button></p>`}
      </div>
    </div>
    ${open?.what === 'promote' && open.version && html`<${Promote} model=${model} version=${open.version} who=${session.name} close=${close} done=${again} />`}
    ${open?.what === 'back' && html`<${RollBack} name=${model.name} close=${close} done=${again} />`}
    ${open?.what === 'retire' && open.version && html`<${Retire} model=${model} version=${open.version} close=${close} done=${again} />`}
    ${open?.what === 'delete' && open.version && html`<${DeleteVersion} model=${model} version=${open.version} close=${close} done=${again} />`}
    ${open?.what === 'delete-model' && html`<${DeleteModel} model=${model} close=${close} />`}
    ${open?.what === 'upload' && html`<${Upload} into=${model.name} close=${close} done=${again} />`}`;
}

/** One version on the timeline. @param {{model: import('./api.js').Model, version: import('./api.js').Version, moves: boolean, writes: boolean, open: (what: any) => void, primary: boolean}} properties */
function Step({ model, version, moves, writes, open, primary }) {
  const { phase } = version;
  const aliases = Object.entries(model.aliases).filter(([, to]) => to === version.name).map(([alias]) => alias);
  const answers = model.traffic.champion === version.name;
  const used = answers || aliases.length > 0 || [...(model.traffic.splits ?? []), ...(model.traffic.shadows ?? [])].some((one) => one.version === version.name);
  return html`<li class=${answers ? 'answers' : phase.state}>
    <div class="step-head"><a href=${href('models', model.name, version.name)}>Version ${version.name}</a><${PhaseState} phase=${phase} />
      ${aliases.map((alias) => html`<span key=${alias} class="tag mono">@${alias}</span>`)}</div>
    <${Standing} traffic=${model.traffic} version=${version.name} />
    <p class="quiet small"><${Time} at=${version.added_at} /> by ${called(version.added_by)}, ${cameFrom(version.origin)} <${Digest} of=${version.digest} /></p>
    ${phase.state === 'rejected' && html`<p class="small"><span class="trouble">Failed at ${phase.step?.replaceAll('_', ' ')}: ${sentence(phase.reason ?? '')}</span> ${phase.remedy && sentence(phase.remedy)}</p>`}
    ${(phase.state === 'fetching' || phase.state === 'verifying') && html`<progress aria-label=${`Version ${version.name} is on its way`}></progress>`}
    <div class="actions">
      ${phase.state === 'ready' && moves && !answers && !primary && html`<button onClick=${() => open({ what: 'promote', version })}>Promote<span class="visually-hidden"> version ${version.name}</span></button>`}
      ${phase.state === 'ready' && writes && !used && html`<button class="danger" onClick=${() => open({ what: 'retire', version })}>Retire<span class="visually-hidden"> version ${version.name}</span></button>`}
      ${(phase.state === 'retired' || phase.state === 'rejected') && writes && !used && html`<button class="danger" onClick=${() => open({ what: 'delete', version })}>Delete<span class="visually-hidden"> version ${version.name}</span></button>`}</div>
  </li>`;
}
