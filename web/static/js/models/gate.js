// What a version must have before it may be promoted, and how that is changed.

import { html, useState } from '../view.js';
import { path, request } from '../api.js';
import { Dialog } from '../controls/dialog.js';
import { Check, Field, errorAt } from '../controls/field.js';

/** @param {{model: import('./api.js').Model, writes: boolean, again: () => Promise<void>}} properties */
export function Gate({ model, writes, again }) {
  const [changing, change] = useState(false);
  const { card, second_person: second, metric } = model.gate;
  return html`<section class="block" aria-labelledby="gate-title"><header><h2 id="gate-title">Before a promotion</h2>
      ${writes && html`<button onClick=${() => change(true)}>Change the gate</button>`}</header>
    <ul class="plain">${card && html`<li>It must bring a CARD.md.</li>`}${second && html`<li>A second person must promote it too.</li>`}
      ${metric && html`<li><span class="mono">${metric.metric}</span> on ${metric.set} must be at least <span class="number">${metric.at_least}</span>.</li>`}
      ${!card && !second && !metric && html`<li class="quiet">Nothing is asked of a version but that it is ready.</li>`}</ul>
    ${changing && html`<${Change} model=${model} close=${() => change(false)} done=${again} />`}</section>`;
}

/** @param {{model: import('./api.js').Model, close: () => void, done: () => Promise<void>}} properties */
function Change({ model, close, done }) {
  const { gate } = model;
  const [card, setCard] = useState(gate.card);
  const [second, setSecond] = useState(gate.second_person);
  const [measured, setMeasured] = useState(Boolean(gate.metric));
  const [set, setSet] = useState(gate.metric?.set ?? '');
  const [metric, setMetric] = useState(gate.metric?.metric ?? 'macro_f1');
  const [least, setLeast] = useState(String(gate.metric?.at_least ?? '0.7'));
  const [reason, setReason] = useState('');
  const [refused, setRefused] = useState(/** @type {import('../api.js').ProblemDocument | null} */ (null));
  const sets = [...new Set(Object.values(model.versions).flatMap((version) => Object.keys(version.evaluations ?? {})))];
  const act = async () => {
    /** @type {import('openapi').ModelPatch} */
    const json = {
      gate: { card, second_person: second, metric: measured ? { ...(gate.metric?.set === set.trim() ? gate.metric : {}), set: set.trim(), metric: metric.trim(), at_least: Number(least) } : null },
      reason: reason.trim() || undefined,
    };
    await request(path`/v1/models/${model.name}`, { method: 'PATCH', seen: model.revision, json });
    await done();
  };
  return html`<${Dialog} title=${`Before a version of ${model.name} is promoted`} verb="Change the gate" close=${close} act=${act} refused=${setRefused}>
    <div class="fields">
      <${Check} label="It must bring a card" hint="A CARD.md that says what it is for and where it fails." checked=${card} set=${setCard} />
      <${Check} label="A second person must promote it too" hint="One proposes, somebody else decides." checked=${second} set=${setSecond} />
      <${Check} label="A measure must be high enough" hint="On a set that versions are measured on before." checked=${measured} set=${setMeasured} />
      ${measured && html`<div class="fields pairs">
        <${Field} label="Set" required value=${set} set=${setSet} offers=${sets} mono=${true} error=${errorAt(refused, 'gate/metric/set')} />
        <${Field} label="Measure" required value=${metric} set=${setMetric} mono=${true} error=${errorAt(refused, 'gate/metric/metric')} />
        <${Field} label="At least" required kind="number" value=${least} set=${setLeast} hint="Between 0 and 1." error=${errorAt(refused, 'gate/metric/at_least')} /></div>`}
      <${Field} label="Reason" value=${reason} set=${setReason} hint="Stands in the log." />
    </div>
  <//>`;
}
