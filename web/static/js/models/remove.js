// Ends of a version and of a model: retired, deleted.

import { html, useState } from '../view.js';
import { path, request } from '../api.js';
import { Dialog } from '../controls/dialog.js';
import { Field } from '../controls/field.js';
import { go } from '../frame/route.js';

/** @param {string} reason */
const asked = (reason) => (reason.trim() ? `?${new URLSearchParams({ reason: reason.trim() })}` : '');

/** @param {{model: import('./api.js').Model, version: import('./api.js').Version, close: () => void, done: () => Promise<void>}} properties */
export function Retire({ model, version, close, done }) {
  const [reason, setReason] = useState('');
  const act = async () => {
    await request(path`/v1/models/${model.name}/versions/${version.name}/retire`, { method: 'POST', seen: model.revision, json: { reason: reason.trim() || undefined } });
    await done();
  };
  return html`<${Dialog} title=${`Retire ${model.name} ${version.name}`} verb=${`Retire version ${version.name}`} danger=${true} close=${close} act=${act}>
    <p>It can answer no more, and a rollback passes it over. It stays in the history with its files. This cannot be undone; the same files would have to be deleted here and uploaded again.</p>
    <div class="fields"><${Field} label="Reason" value=${reason} set=${setReason} hint="Stands in the log." /></div>
  <//>`;
}

/** @param {{model: import('./api.js').Model, version: import('./api.js').Version, close: () => void, done: () => Promise<void>}} properties */
export function DeleteVersion({ model, version, close, done }) {
  const [reason, setReason] = useState('');
  const act = async () => {
    await request(path`/v1/models/${model.name}/versions/${version.name}` + asked(reason), { method: 'DELETE', seen: model.revision });
    await done();
  };
  return html`<${Dialog} title=${`Delete ${model.name} ${version.name}`} verb=${`Delete version ${version.name}`} danger=${true} close=${close} act=${act}>
    <p>The version leaves the list, and its files go within two days unless another version has the same. The log keeps that it was here. This cannot be undone.</p>
    <div class="fields"><${Field} label="Reason" value=${reason} set=${setReason} hint="Stands in the log." /></div>
  <//>`;
}

/** @param {{model: import('./api.js').Model, close: () => void}} properties */
export function DeleteModel({ model, close }) {
  const [typed, setTyped] = useState('');
  const [reason, setReason] = useState('');
  const act = async () => {
    await request(path`/v1/models/${model.name}` + asked(reason), { method: 'DELETE', seen: model.revision });
    go('models');
  };
  const count = Object.keys(model.versions).length;
  return html`<${Dialog} title=${`Delete ${model.name}`} verb="Delete the model" danger=${true} ready=${typed === model.name} close=${close} act=${act}>
    <p>The model leaves with ${count === 0 ? 'no version' : count === 1 ? 'its one version' : `all ${count} versions`} and their files. The log keeps that they were here. This cannot be undone.</p>
    <div class="fields"><${Field} label=${`Type ${model.name} to go on`} required value=${typed} set=${setTyped} mono=${true} />
      <${Field} label="Reason" value=${reason} set=${setReason} hint="Stands in the log." /></div>
  <//>`;
}
