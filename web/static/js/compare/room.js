// The room of comparisons: which there are, and one of them.

import { html, useState } from '../view.js';
import { Empty, none, Shown, useLoaded } from '../controls/loaded.js';
import { State } from '../controls/state.js';
import { Table } from '../controls/table.js';
import { Time } from '../controls/time.js';
import { may } from '../frame/may.js';
import { usePlace } from '../frame/place.js';
import { go, href } from '../frame/route.js';
import * as api from './api.js';
import { One } from './experiment.js';
import { Start } from './start.js';
import { shareOf } from './words.js';

/** @param {import('../app.js').RoomProperties} properties */
export function Compare({ path: [name], session }) {
  return name ? html`<${One} key=${name} name=${name} session=${session} />` : html`<${List} session=${session} />`;
}

/** @param {{session: import('../app.js').RoomProperties['session']}} properties */
function List({ session }) {
  const list = useLoaded((signal) => api.experiments(signal), []);
  const [starting, setStarting] = useState(false);
  const [proposed, propose] = useState(false);
  const allowed = may(session.grants, 'traffic');
  usePlace({ where: [{ text: 'Compare' }] }, []);
  const begin = allowed && html`<button class="primary" onClick=${() => setStarting(true)}>Start an experiment</button>`;
  return html`<div class="page-head"><div><h1>Compare</h1><p>Two versions on the same work: which is better, for which beats, and how sure that is.</p></div>${list.value !== null && list.value.items.length > 0 && begin}</div>
    ${proposed && html`<p class="consequence" role="status">Nothing has changed yet: this model asks for two people. Somebody else must start the same experiment.</p>`}
    <${Shown} of=${list} rows=${3} isEmpty=${none}
      empty=${html`<${Empty} action=${begin}>No experiment yet. A challenger can compute beside the champion without anybody noticing.<//>`}>
      ${(/** @type {{items: api.Experiment[]}} */ value) => html`<${Table} caption="Experiments" rows=${value.items} id=${(/** @type {api.Experiment} */ one) => one.name} columns=${COLUMNS} />`}
    <//>
    ${starting && html`<${Start} close=${() => setStarting(false)} started=${(/** @type {string | null} */ started) => (started === null ? propose(true) : go('compare', started))} />`}`;
}

/** @param {{experiment: api.Experiment}} properties */
export function Standing({ experiment }) {
  if (experiment.running) return html`<${State} tone="live">running<//>`;
  return html`<${State} tone=${experiment.ended?.withdrawn ? 'bad' : 'past'}>${experiment.ended?.withdrawn ? 'withdrawn' : 'stopped'}<//>`;
}

/** @param {{experiment: api.Experiment}} properties */
export const Arms = ({ experiment }) => html`<span class="arms"><span class="of-champion">${experiment.champion}</span>${api.challengers(experiment).map((one) => html` <span key=${one.version} class="of-challenger">${one.version}</span>
  <span class="quiet">${one.shadow ? 'beside' : 'answers'} ${shareOf(one.percent)}</span>`)}</span>`;

const COLUMNS = [
  { head: 'Experiment', cell: (/** @type {api.Experiment} */ one) => html`<a href=${href('compare', one.name)}>${one.name}</a>` },
  { head: 'Model', cell: (/** @type {api.Experiment} */ one) => one.model },
  { head: 'Champion and challengers', cell: (/** @type {api.Experiment} */ one) => html`<${Arms} experiment=${one} />` },
  { head: 'State', cell: (/** @type {api.Experiment} */ one) => html`<${Standing} experiment=${one} />` },
  { head: 'Started', cell: (/** @type {api.Experiment} */ one) => html`<${Time} at=${one.started_at} /> <span class="quiet">by ${one.started_by}</span>` },
];
