// Who is here, what they may do, and the way out.

import { html, useState } from '../view.js';
import * as api from '../api.js';
import { Dialog } from '../controls/dialog.js';
import { Time } from '../controls/time.js';
import { called } from '../frame/may.js';
import { Grants } from './grants.js';
import { inWords, SCOPES } from './scopes.js';

/** @param {{session: import('../app.js').RoomProperties['session']}} properties */
export function Session({ session }) {
  const [asks, setAsks] = useState(false);
  const scopes = new Set(session.grants.map((grant) => inWords(grant).scope));
  const leave = async (/** @type {boolean} */ everywhere) => {
    await api.signOut(everywhere);
    api.listener.signedOut();
  };
  return html`<section class="block" aria-labelledby="session-title">
    <div class="page-head"><div><h2 id="session-title" class="big">${called(session.name)}</h2>
      <p>Signed in on this machine${session.expires_at && html`; without a visit it ends <${Time} at=${session.expires_at} />`}.</p></div>
      <div class="actions"><button onClick=${() => leave(false)}>Sign out</button><button class="danger" onClick=${() => setAsks(true)}>Sign out everywhere</button></div></div>
    <div class="card"><h3>What you may do</h3>
      <ul class="scopes">${SCOPES.map(([scope, meaning]) => {
        const held = scopes.has(scope) || scopes.has('admin');
        return html`<li key=${scope} class=${held ? 'held' : 'quiet'}><span class="yes-no" aria-hidden="true">${held ? '\u2713' : '\u2013'}</span>
          <span><span class="mono">${scope}</span><span class="visually-hidden">${held ? ', allowed: ' : ', not allowed: '}</span><br /><span class="quiet">${meaning}</span></span></li>`;
      })}</ul>
      ${session.grants.some((grant) => grant.includes(':')) && html`<h3>Exactly</h3><${Grants} of=${session.grants} />`}
    </div>
    ${asks && html`<${Dialog} title="Sign out everywhere" verb="Sign out everywhere" danger=${true} close=${() => setAsks(false)} act=${() => leave(true)}>
      <p>Every session of ${called(session.name)}, on every machine, ends now. Keys of programs stay as they are. Sign in again to come back.</p>
    <//>`}
  </section>`;
}
