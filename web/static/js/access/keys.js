// Keys for programs: made, shown once, revoked.

import { html, useState } from '../view.js';
import { path, request } from '../api.js';
import { Copy } from '../controls/digest.js';
import { Dialog } from '../controls/dialog.js';
import { Check, Field, errorAt } from '../controls/field.js';
import { Empty, none, Shown, useLoaded } from '../controls/loaded.js';
import { State } from '../controls/state.js';
import { Table } from '../controls/table.js';
import { Time } from '../controls/time.js';
import { called } from '../frame/may.js';
import { Grants } from './grants.js';
import { SCOPES } from './scopes.js';

/** @typedef {import('openapi').ApiKey & {key?: string}} Key one that was just made says itself */

/** Days after which a key ends; empty for never. */
const EXPIRIES = [{ value: '30', text: '30 days' }, { value: '90', text: '90 days' }, { value: '365', text: 'A year' }, { value: '', text: 'Never' }];

export function Keys() {
  const keys = useLoaded((signal) => request('/v1/keys', { signal }), []);
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState(/** @type {Key | null} */ (null));
  const [revoking, setRevoking] = useState(/** @type {Key | null} */ (null));
  const make = html`<button class="primary" onClick=${() => setMaking(true)}>Make a key</button>`;
  const columns = /** @type {import('../controls/table.js').Column<Key>[]} */ ([
    { head: 'Name', cell: (key) => html`${key.name}<br /><span class="mono quiet">${key.id}</span>` },
    { head: 'May', cell: (key) => html`<${Grants} of=${key.grants} />`, wide: true },
    { head: 'Rate', cell: (key) => (key.rate ? html`<span class="number">${key.rate.per_second}<span class="unit">\u2009/s</span></span>, ${key.rate.burst} at once` : html`<span class="quiet">unlimited</span>`) },
    { head: 'Ends', cell: (key) => (key.expires_at ? Date.parse(key.expires_at) < Date.now() ? html`<${State} tone="past">Ended<//>` : html`<${Time} at=${key.expires_at} />` : html`<span class="quiet">never</span>`) },
    { head: 'Made', cell: (key) => html`<${Time} at=${key.created_at} /> by ${called(key.created_by)}` },
    { head: 'Change', cell: (key) => html`<button class="danger" onClick=${() => setRevoking(key)}>Revoke<span class="visually-hidden"> ${key.name}</span></button>` },
  ]);
  return html`<section class="block" aria-labelledby="keys-title">
    <header><h2 id="keys-title">Keys for programs</h2>${make}</header>
    ${made && html`<div class="card once" role="status"><h3>The key ${made.name} is made. Copy it now: it is shown this once.</h3>
      <p class="secret mono">${made.key}</p>
      <div class="actions"><${Copy} text=${made.key ?? ''} label="Copy the key" class="primary" /><button onClick=${() => setMade(null)}>I have it</button></div></div>`}
    <${Shown} of=${keys} isEmpty=${none} empty=${html`<${Empty}>No program has a key yet. A key lets one call the API, with as little as it needs.<//>`}>
      ${(/** @type {import('openapi').ApiKeyList} */ list) => html`<${Table} caption="Keys" columns=${columns} rows=${list.items} id=${(/** @type {Key} */ key) => key.id} />`}
    <//>
    ${making && html`<${NewKey} close=${() => setMaking(false)} done=${(/** @type {Key} */ key) => { setMade(key); keys.again(); }} />`}
    ${revoking && html`<${Revoke} of=${revoking} close=${() => setRevoking(null)} done=${() => { if (made?.id === revoking.id) setMade(null); return keys.again(); }} />`}
  </section>`;
}

/** @param {{close: () => void, done: (key: Key) => void}} properties */
function NewKey({ close, done }) {
  const [name, setName] = useState('');
  const [scopes, setScopes] = useState(/** @type {string[]} */ (['predict']));
  const [models, setModels] = useState('');
  const [days, setDays] = useState('90');
  const [rate, setRate] = useState('');
  const [burst, setBurst] = useState('');
  const [refused, setRefused] = useState(/** @type {import('../api.js').ProblemDocument | null} */ (null));
  const patterns = models.split(/[\s,]+/).filter(Boolean).join(',');
  const act = async () => {
    const json = {
      name: name.trim(),
      grants: scopes.map((scope) => (patterns && scope !== 'admin' && scope !== 'audit.read' ? `${scope}:${patterns}` : scope)),
      expires_at: days ? new Date(Date.now() + 864e5 * Number(days)).toISOString() : undefined,
      rate: rate ? { per_second: Number(rate), burst: burst ? Number(burst) : Math.max(1, Math.ceil(Number(rate))) } : undefined,
    };
    done(await request('/v1/keys', { method: 'POST', json }));
  };
  return html`<${Dialog} title="Make a key" verb="Make the key" close=${close} act=${act} ready=${name.trim() !== '' && scopes.length > 0} refused=${setRefused}>
    <div class="fields">
      <${Field} label="Name" value=${name} set=${setName} required=${true} hint="For people: the program or the place it runs at, such as ward-3." error=${errorAt(refused, 'name')} />
      <fieldset><legend>What it may do</legend>${SCOPES.map(([scope, meaning]) => html`<${Check} key=${scope} label=${html`<span class="mono">${scope}</span>`} hint=${meaning} checked=${scopes.includes(scope)}
        set=${(/** @type {boolean} */ on) => setScopes(on ? [...scopes, scope] : scopes.filter((one) => one !== scope))} />`)}</fieldset>
      <${Field} label="For these models alone" value=${models} set=${setModels} placeholder="heartbeat, lab-*" mono=${true} hint="Names or patterns with *. Empty means all. The log and admin belong to no model." error=${errorAt(refused, 'grants')} />
      <${Field} label="Ends after" value=${days} set=${setDays} required=${true} choices=${EXPIRIES} error=${errorAt(refused, 'expires_at')} />
      <div class="fields pairs">
        <${Field} label="Requests per second" kind="number" value=${rate} set=${setRate} hint="Empty means unlimited." error=${errorAt(refused, 'rate')} />
        <${Field} label="At once after a pause" kind="number" value=${burst} set=${setBurst} />
      </div>
    </div>
  <//>`;
}

/** @param {{of: Key, close: () => void, done: () => Promise<void>}} properties */
function Revoke({ of: key, close, done }) {
  const [reason, setReason] = useState('');
  const act = async () => {
    await request(`${path`/v1/keys/${key.id}`}${reason.trim() ? `?reason=${encodeURIComponent(reason.trim())}` : ''}`, { method: 'DELETE', seen: key.revision });
    await done();
  };
  return html`<${Dialog} title=${`Revoke the key ${key.name}`} verb="Revoke the key" danger=${true} close=${close} act=${act}>
    <p>Whatever uses it is refused from now on, and tokens made from it too. It cannot be taken back; make another key instead.</p>
    <div class="fields"><${Field} label="Reason" value=${reason} set=${setReason} hint="Stands in the log." /></div>
  <//>`;
}
