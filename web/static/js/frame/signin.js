// Who is here, and how one comes in: by name and password, by another issuer, or by the link that the server printed.

import { html, useState } from '../view.js';
import * as api from '../api.js';
import { Lost } from '../controls/lost.js';
import { sentence } from '../controls/said.js';

/** Why the way here did not end with a session, as the server says it in the address. */
const WORDS = /** @type {Record<string, string>} */ ({
  used: 'That link was used already, or is too old.',
  unconfirmed: 'The sign-in elsewhere was not confirmed. Try it again.',
  often: 'There were too many attempts. Wait a minute and try it again.',
});

/** @param {{offers: api.Offers, done: () => void}} properties */
export function SignIn({ offers, done }) {
  const [values, setValues] = useState({ name: '', password: '' });
  const [refused, setRefused] = useState(/** @type {string | null} */ (WORDS[new URLSearchParams(location.search).get('sign-in') ?? ''] ?? null));
  const [lost, setLost] = useState(/** @type {api.ProblemDocument | null} */ (null));
  const [busy, setBusy] = useState(false);
  const set = (/** @type {'name' | 'password'} */ field) => (/** @type {import('../view.js').FieldEvent} */ event) => setValues({ ...values, [field]: event.target.value });
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    setBusy(true);
    setRefused(null);
    setLost(null);
    try {
      await api.signIn(values.name.trim(), values.password);
      if (location.search) history.replaceState(null, '', `/${location.hash}`);
      done();
    } catch (cause) {
      if (!(cause instanceof api.Refusal)) throw cause;
      if (cause.problem.status === 0) return setLost(cause.problem);
      setRefused(cause.problem.detail);
      setValues({ ...values, password: '' });
    } finally {
      setBusy(false);
    }
    return undefined;
  };
  return html`<section class="sign-in" aria-labelledby="sign-in-title">
    <h1 id="sign-in-title">Sign in</h1>
    ${refused && html`<p class="trouble" role="alert">${sentence(refused)}</p>`}
    ${lost && html`<${Lost} problem=${lost} verb="Sign in" />`}
    ${offers.password && html`<form onSubmit=${submit}>
      <label>Name<input name="username" autocomplete="username" required value=${values.name} onInput=${set('name')} /></label>
      <label>Password<input name="password" type="password" autocomplete="current-password" required value=${values.password} onInput=${set('password')} /></label>
      <button class="primary" type="submit" disabled=${busy}>${busy ? 'Signing in' : 'Sign in'}</button>
    </form>`}
    ${offers.issuers.length > 0 && html`<ul class="issuers" aria-label="Other ways to sign in">
      ${offers.issuers.map((issuer) => html`<li key=${issuer}><a class="button" href=${`/v1/auth/oidc/${encodeURIComponent(issuer)}/start`}>Sign in with ${issuer}</a></li>`)}
    </ul>`}
    ${offers.owner_link && html`<p>This server has no users yet. Open the link that it printed when it started:</p>
      <p class="mono link-shape">${location.origin}/v1/auth/link?token=\u2026</p>
      <p class="quiet">It works once; every start prints a new one.</p>`}
    ${!offers.password && !offers.owner_link && offers.issuers.length === 0 && html`<p>Nobody can sign in here with a browser yet. Whoever runs this server adds a user with <span class="mono">einthoven users add</span>.</p>`}
  </section>`;
}
