// One experiment: the verdict, the evidence, where the versions differ, what is watched.

import { html, useState } from '../view.js';
import { Shown, useLoaded } from '../controls/loaded.js';
import { Time } from '../controls/time.js';
import { clock } from '../format.js';
import { may } from '../frame/may.js';
import { usePlace } from '../frame/place.js';
import { href } from '../frame/route.js';
import { give } from '../recordings/downloads.js';
import * as api from './api.js';
import { Drift, Rails } from './drift.js';
import { Arms, Standing } from './room.js';
import { SideBySide } from './side.js';
import { ChangeShares, Freeze, Stop } from './start.js';
import { Evidence, Headline } from './verdict.js';

/** Milliseconds between two looks at a running experiment. */
const EVERY_MS = 30_000;
const MOST = 40;

/** @param {{name: string, session: import('../app.js').RoomProperties['session']}} properties */
export function One({ name, session }) {
  const found = useLoaded((signal) => api.experiment(name, signal), [name], EVERY_MS);
  const [asked, ask] = useState(/** @type {'change' | 'stop' | 'freeze' | null} */ (null));
  const [wanted, want] = useState(/** @type {string | null} */ (null));
  usePlace({ where: [{ text: 'Compare', href: href('compare') }, { text: name }] }, [name]);
  const done = () => { ask(null); found.again(); };
  return html`<${Shown} of=${found} rows=${4}>${(/** @type {api.Experiment} */ experiment) => {
    const all = api.challengers(experiment);
    const gone = (experiment.withdrawn ?? []).map((one) => ({ ...one.challenger, shadow: one.shadow }));
    const others = [...all, ...gone.filter((one) => !all.some((other) => other.version === one.version))];
    const challenger = others.find((one) => one.version === wanted) ?? others[0];
    const allowed = experiment.running && may(session.grants, 'traffic', experiment.model);
    return html`<article class="experiment">
      <div class="page-head"><div><h1>${experiment.name}</h1>
        <p><${Standing} experiment=${experiment} /> <${Arms} experiment=${experiment} /> <span>since <${Time} at=${experiment.started_at} /></span></p></div>
        <div class="actions">${allowed && html`<button onClick=${() => ask('change')}>Change shares</button><button class="danger" onClick=${() => ask('stop')}>Stop</button>`}</div></div>
      ${experiment.ended && html`<p class="ended">Ended <${Time} at=${experiment.ended.at} exact /> by ${experiment.ended.by}${experiment.ended.why ? `: ${experiment.ended.why}` : '.'}</p>`}
      ${others.length > 1 && html`<div class="field chooser"><label for="challenger">Challenger</label><select id="challenger" value=${challenger.version} onChange=${(/** @type {import('../view.js').FieldEvent} */ event) => want(event.target.value)}>
        ${others.map((one) => html`<option key=${one.version} value=${one.version}>${one.version}</option>`)}</select></div>`}
      ${challenger ? html`<${Pair} key=${challenger.version} experiment=${experiment} challenger=${challenger.version} freeze=${allowed ? () => ask('freeze') : null} />` : html`<p class="quiet">This experiment has no challenger.</p>`}
      ${asked === 'change' && html`<${ChangeShares} experiment=${experiment} close=${() => ask(null)} done=${done} />`}
      ${asked === 'freeze' && html`<${Freeze} experiment=${experiment} close=${() => ask(null)} done=${done} />`}
      ${asked === 'stop' && html`<${Stop} experiment=${experiment} close=${() => ask(null)} done=${done} />`}
    </article>`;
  }}<//>`;
}

/** The champion and one challenger. @param {{experiment: api.Experiment, challenger: string, freeze: (() => void) | null}} properties */
function Pair({ experiment, challenger, freeze }) {
  const verdict = useLoaded((signal) => api.verdict(experiment.name, challenger, signal), [experiment.name, challenger], experiment.running ? EVERY_MS : undefined);
  const differ = useLoaded((signal) => api.disagreements(experiment.name, challenger, signal), [experiment.name, challenger]);
  return html`<${Shown} of=${verdict} rows=${5}>${(/** @type {api.Verdict} */ value) => html`
    <${Headline} verdict=${value} />
    <p class="actions report"><button onClick=${() => give(`${experiment.name}-${challenger}.json`, 'application/json', JSON.stringify({ experiment, verdict: value, disagreements: differ.value?.items ?? null }, null, 2))}>Report (JSON)</button>
      <button onClick=${() => globalThis.print()}>Print the report</button></p>
    <${Evidence} verdict=${value} />
    <${Shown} of=${differ} rows=${3}>${(/** @type {import('openapi').DisagreementList} */ found) => html`<${Differ} list=${found.items} champion=${experiment.champion} challenger=${challenger} />`}<//>
    ${value.drift && html`<${Drift} drift=${value.drift} frozen=${experiment.references?.[experiment.champion]} freeze=${freeze} />`}
    <${Rails} rails=${experiment.rules?.rails ?? {}} ruling=${value.ruling ?? null} withdrawn=${experiment.withdrawn ?? []} />
    <p class="research-note">Research use only. Not for diagnosis.</p>`}<//>`;
}

/** Where they differ, and the place itself on paper. @param {{list: api.Disagreement[], champion: string, challenger: string}} properties */
function Differ({ list, champion, challenger }) {
  const [at, setAt] = useState(0);
  const beat = list[at];
  if (!beat) return html`<section class="block"><h2>Where they differ</h2><p class="quiet">They say the same of every beat that both saw.</p></section>`;
  const others = list.filter((one) => one.prediction === beat.prediction);
  return html`<section class="block"><h2>Where they differ</h2><div class="differ">
    <div class="place">${beat.signal && beat.time_s !== null
      ? html`<${SideBySide} signal=${beat.signal} lead=${beat.lead ?? ''} beat=${beat} others=${others} champion=${champion} challenger=${challenger} />`
      : html`<p class="quiet none">There is no trace of this recording to draw here.</p>`}</div>
    <ul aria-label="Beats that they call differently">${list.slice(0, MOST).map((one, index) => html`<li key=${`${one.prediction} ${one.sample}`}><button aria-pressed=${index === at} onClick=${() => setAt(index)}>
      <span class="of-champion">${one.champion ?? '\u2013'}</span><span class="of-challenger">${one.challenger ?? '\u2013'}</span>
      <span class="quiet">${one.truth ? `labelled ${one.truth}` : 'no label'}</span><span class="mono">${one.record ?? one.prediction.slice(0, 8)}</span><span class="time">${one.time_s === null ? `row ${one.sample}` : clock(one.time_s, 1)}</span></button></li>`)}</ul>
  </div>${list.length > MOST && html`<p class="quiet small">${MOST} of ${list.length} beats; the report has all.</p>`}</section>`;
}
