// Issuers of OpenID Connect whose tokens count here, and what their claims allow.

import { html, useState } from '../view.js';
import { path, request } from '../api.js';
import { Dialog } from '../controls/dialog.js';
import { Empty, none, Shown, useLoaded } from '../controls/loaded.js';
import { State } from '../controls/state.js';
import { Time } from '../controls/time.js';
import { Grants } from './grants.js';
import { AddIssuer } from './issuer.js';

/** @typedef {import('openapi').Issuer} Issuer */

export function Issuers() {
  const issuers = useLoaded((signal) => request('/v1/issuers', { signal }), []);
  const [adding, setAdding] = useState(false);
  const add = html`<button class="primary" onClick=${() => setAdding(true)}>Add an issuer</button>`;
  const [removing, setRemoving] = useState(/** @type {Issuer | null} */ (null));
  return html`<section class="block" aria-labelledby="issuers-title">
    <header><h2 id="issuers-title">Issuers</h2>${issuers.value !== null && issuers.value.items.length > 0 && add}</header>
    <${Shown} of=${issuers} isEmpty=${none} empty=${html`<${Empty} action=${add}>Only keys and passwords of this server count. Tokens of an OpenID Connect issuer count once it is named here.<//>`}>
      ${(/** @type {import('openapi').IssuerList} */ list) => list.items.map((/** @type {Issuer} */ issuer) => html`<article key=${issuer.name} class="card issuer" aria-labelledby=${`issuer-${issuer.name}`}>
        <header class="page-head"><div><h3 id=${`issuer-${issuer.name}`}>${issuer.name}</h3><p class="mono">${issuer.settings.issuer}</p></div>
          <button class="danger" onClick=${() => setRemoving(issuer)}>Remove<span class="visually-hidden"> ${issuer.name}</span></button></header>
        <dl class="terms">
          <div><dt>Signs in at the page</dt><dd>${issuer.settings.login ? html`<${State} tone="good">Yes<//> <span class="quiet">as ${issuer.settings.login.client_id}</span>` : html`<${State} tone="plain">No, tokens alone<//>`}</dd></div>
          <div><dt>For</dt><dd>${issuer.settings.audiences.join(', ')}</dd></div>
          <div><dt>Signed with</dt><dd>${issuer.settings.algorithms.join(', ')}</dd></div>
          ${(issuer.settings.rules ?? []).map((rule) => html`<div key=${rule.claim + rule.value}><dt>${rule.claim} ${rule.value ? html`is <strong>${rule.value}</strong>` : ''}</dt><dd><${Grants} of=${rule.grants} /></dd></div>`)}
          <div><dt>Changed</dt><dd><${Time} at=${issuer.changed_at} /></dd></div>
        </dl></article>`)}
    <//>
    ${adding && html`<${AddIssuer} taken=${issuers.value?.items.map((one) => one.name) ?? []} close=${() => setAdding(false)} done=${issuers.again} />`}
    ${removing && html`<${Dialog} title=${`Remove the issuer ${removing.name}`} verb="Remove the issuer" danger=${true} close=${() => setRemoving(null)}
        act=${async () => { await request(path`/v1/issuers/${removing.name}`, { method: 'DELETE', seen: removing.revision }); await issuers.again(); }}>
      <p>Its tokens count no more, and who signed in by it is signed out. Name it again with the same settings to undo this; they stand in the log.</p>
    <//>`}
  </section>`;
}
