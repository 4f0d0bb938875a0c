// Starting an experiment, changing its shares, stopping it, freezing what drift is measured from: each says what will happen and asks why.

import { html, useState } from '../view.js';
import { Dialog } from '../controls/dialog.js';
import { Field, errorAt } from '../controls/field.js';
import { useLoaded } from '../controls/loaded.js';
import * as api from './api.js';
import { DECIDING, figureName } from './words.js';

/** @typedef {import('../api.js').ProblemDocument | null} Refused */

const MODES = [
  { value: 'shadow', text: 'Shadow: computes beside the champion, answers nobody' },
  { value: 'split', text: 'Split: answers a share of the subjects' },
];

/** Challengers in the words of the interface. @param {string} mode @param {{version: string, percent: number}[]} challengers */
const dealt = (mode, challengers) => (mode === 'split' ? { splits: challengers, shadows: [] } : { splits: [], shadows: challengers });

/** What will happen, before it does. @param {{mode: string, challengers: string[], champion: string | null | undefined, percent: string}} properties */
function Consequence({ mode, challengers, champion, percent }) {
  if (!challengers.length || !champion) return null;
  const who = challengers.length === 1 ? `Version ${challengers[0]}` : `Versions ${challengers.join(', ')}`;
  return html`<p class="consequence">${mode === 'split'
    ? `${who} will answer ${percent}\u2009% of the subjects${challengers.length > 1 ? ' each' : ''} in the place of ${champion}. A subject always gets the same version.`
    : `${who} will compute on ${percent}\u2009% of the subjects. Everybody is still answered by ${champion}.`} Stopping it gives everybody back to ${champion}.</p>`;
}

/** @param {{close: () => void, started: (name: string | null) => void}} properties */
export function Start({ close, started }) {
  const models = useLoaded((signal) => api.models(signal), []);
  const live = models.value?.items.filter((one) => one.champion) ?? [];
  const [values, setValues] = useState({ name: '', model: '', mode: 'shadow', percent: '100', primary: 'v_f1', looks: 'every', worth: '2', reason: '' });
  const [chosen, choose] = useState(/** @type {string[]} */ ([]));
  const [problem, setProblem] = useState(/** @type {Refused} */ (null));
  const model = live.find((one) => one.name === values.model) ?? live[0];
  const versions = useLoaded((signal) => (model ? api.versions(model.name, signal) : Promise.resolve({ items: [], next: null })), [model?.name]);
  const offered = versions.value?.items.filter((one) => one.name !== model?.champion && one.phase.state !== 'retired' && one.phase.state !== 'rejected') ?? [];
  const set = (/** @type {keyof typeof values} */ field) => (/** @type {string} */ value) => setValues({ ...values, [field]: value });
  const challengers = chosen.filter((one) => offered.some((other) => other.name === one));
  const act = async () => {
    /** @type {import('openapi').ExperimentRulesInput} */
    const rules = { settings: { primary: DECIDING.find((one) => one === values.primary), looks: values.looks === 'once' ? 'once' : 'every', worth: Number(values.worth) / 100, comparisons: challengers.length } };
    const begun = await api.start({
      name: values.name.trim(), model: model?.name ?? '', rules, reason: values.reason.trim(),
      ...dealt(values.mode, challengers.map((version) => ({ version, percent: Number(values.percent) }))),
    });
    started(begun.name ?? null);
  };
  return html`<${Dialog} title="Start an experiment" verb="Start the experiment" act=${act} close=${close} ready=${challengers.length > 0} refused=${setProblem} wide>
    <div class="fields pairs">
      <${Field} label="Name" required mono value=${values.name} set=${set('name')} hint="No other experiment may have it, also later." error=${errorAt(problem, 'name')} />
      <${Field} label="Model" required value=${model?.name ?? ''} set=${set('model')} choices=${live.length ? live.map((one) => ({ value: one.name, text: `${one.name}, champion ${one.champion}` })) : [{ value: '', text: models.value ? 'No model answers yet' : 'Loading' }]} />
    </div>
    <fieldset class="fields"><legend>Challengers</legend>
      ${offered.length ? html`<div class="choices">${offered.map((one) => html`<label key=${one.name}><input type="checkbox" checked=${challengers.includes(one.name)}
          onChange=${(/** @type {import('../view.js').FieldEvent} */ event) => choose(event.target.checked ? [...challengers, one.name] : challengers.filter((other) => other !== one.name))} /> ${one.name} <span class="quiet">${one.phase.state}</span></label>`)}</div>`
        : html`<p class="quiet">${versions.value && model ? `${model.name} has no other version that can be served. Bring one in under Models.` : 'Loading versions'}</p>`}
    </fieldset>
    <div class="fields pairs">
      <${Field} label="What challengers do" required value=${values.mode} set=${set('mode')} choices=${MODES} whole />
      <${Field} label="Share of the subjects, %" required kind="number" value=${values.percent} set=${set('percent')} error=${errorAt(problem, 'percent')} />
      <${Field} label="Smallest difference that matters, points" required kind="number" value=${values.worth} set=${set('worth')} />
      <${Field} label="Decides" required value=${values.primary} set=${set('primary')} hint="One figure, chosen before. All others are description." choices=${DECIDING.map((value) => ({ value, text: figureName(value) }))} />
      <${Field} label="Looks" required value=${values.looks} set=${set('looks')} choices=${[{ value: 'every', text: 'At any time: the verdict holds at every look' }, { value: 'once', text: 'Once, at a number fixed before' }]} />
      <${Field} label="Reason" required value=${values.reason} set=${set('reason')} hint="Goes into the audit trail." whole />
    </div>
    <${Consequence} mode=${values.mode} challengers=${challengers} champion=${model?.champion} percent=${values.percent} />
  <//>`;
}

/** @param {{experiment: api.Experiment, close: () => void, done: () => void}} properties */
export function ChangeShares({ experiment, close, done }) {
  const [mode, setMode] = useState(experiment.splits.length ? 'split' : 'shadow');
  const all = api.challengers(experiment);
  const [percents, setPercents] = useState(all.map((one) => String(one.percent)));
  const [reason, setReason] = useState('');
  const act = async () => {
    const challengers = all.map((one, at) => ({ version: one.version, percent: Number(percents[at]) })).filter((one) => one.percent > 0);
    await api.change(experiment.name, { ...dealt(mode, challengers), reason: reason.trim() });
    done();
  };
  return html`<${Dialog} title=${`Change ${experiment.name}`} verb="Change the shares" act=${act} close=${close}>
    <div class="fields">
      <${Field} label="What challengers do" required value=${mode} set=${setMode} choices=${MODES} />
      ${all.map((one, at) => html`<${Field} key=${one.version} label=${`Share of version ${one.version}, %`} required kind="number" value=${percents[at]} set=${(/** @type {string} */ value) => setPercents(percents.map((old, other) => (other === at ? value : old)))} />`)}
      <${Field} label="Reason" required value=${reason} set=${setReason} hint="Goes into the audit trail." />
    </div>
    <p class="consequence">Raising a share moves subjects from the champion to that challenger and nobody else; lowering it gives the same subjects back.</p>
  <//>`;
}

/** @param {{experiment: api.Experiment, close: () => void, done: () => void}} properties */
export function Stop({ experiment, close, done }) {
  const [reason, setReason] = useState('');
  return html`<${Dialog} title=${`Stop ${experiment.name}`} verb="Stop the experiment" danger act=${async () => { await api.stop(experiment.name, reason.trim()); done(); }} close=${close}>
    <p class="consequence">Version ${experiment.champion} answers everybody at once. What was seen stays, and so does the verdict. An experiment that was stopped is not taken up again: start another one.</p>
    <div class="fields"><${Field} label="Reason" required value=${reason} set=${setReason} hint="Goes into the audit trail." /></div>
  <//>`;
}

/** @param {{experiment: api.Experiment, close: () => void, done: () => void}} properties */
export function Freeze({ experiment, close, done }) {
  const [recordings, setRecordings] = useState('100');
  const [reason, setReason] = useState('');
  const [problem, setProblem] = useState(/** @type {Refused} */ (null));
  const act = async () => {
    await api.freeze(experiment.name, { version: experiment.champion, recordings: Number(recordings), reason: reason.trim() });
    done();
  };
  return html`<${Dialog} title=${`Freeze a reference of version ${experiment.champion}`} verb="Freeze the reference" act=${act} close=${close} refused=${setProblem}>
    <p class="consequence">Later recordings are compared with the newest ones of today, and no longer with those before. Do it when a change is known and wanted, such as a new recorder.</p>
    <div class="fields">
      <${Field} label="Recordings" required kind="number" value=${recordings} set=${setRecordings} hint="The newest so many, 20 to 1,000." error=${errorAt(problem, 'recordings')} />
      <${Field} label="Reason" required value=${reason} set=${setReason} hint="Goes into the audit trail." />
    </div>
  <//>`;
}
