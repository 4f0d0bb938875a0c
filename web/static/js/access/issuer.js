// Another issuer of OpenID Connect: what its tokens must be, what they allow, and whether people sign in by it.

import { html, useState } from '../view.js';
import { path, request } from '../api.js';
import { Dialog } from '../controls/dialog.js';
import { Field, errorAt } from '../controls/field.js';
import { SCOPES } from './scopes.js';

/** @type {import('openapi').SigningAlgorithm[]} */
const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA'];

/** @typedef {{claim: string, value: string, scopes: string[], models: string}} Rule */

/** @type {Rule} */
const EMPTY = { claim: '', value: '', scopes: ['predict', 'models.read'], models: '' };

/** @param {string} text */
const listed = (text) => text.split(/[\s,]+/).filter(Boolean);

/** Grants as the interface names them. @param {Rule} rule */
const grants = ({ scopes, models }) => scopes.map((scope) => (listed(models).length && scope !== 'admin' && scope !== 'audit.read' ? `${scope}:${listed(models).join(',')}` : scope));

/** @param {{taken: string[], close: () => void, done: () => Promise<void>}} properties `taken` are names of those that are there */
export function AddIssuer({ taken, close, done }) {
  const [values, setValues] = useState({ name: '', issuer: '', audiences: 'einthoven', algorithm: 'RS256', client: '', secret: '', reason: '' });
  const [rules, setRules] = useState([EMPTY]);
  const [refused, setRefused] = useState(/** @type {import('../api.js').ProblemDocument | null} */ (null));
  const set = (/** @type {keyof typeof values} */ field) => (/** @type {string} */ value) => setValues({ ...values, [field]: value });
  const setRule = (/** @type {number} */ at, /** @type {Partial<Rule>} */ part) => setRules(rules.map((rule, index) => (index === at ? { ...rule, ...part } : rule)));
  const act = async () => {
    /** @type {import('openapi').NewIssuer} */
    const json = {
      settings: {
        issuer: values.issuer.trim(), audiences: listed(values.audiences), algorithms: ALGORITHMS.filter((one) => one === values.algorithm),
        rules: rules.map((rule) => ({ claim: rule.claim.trim(), value: rule.value.trim(), grants: grants(rule) })),
        login: values.client.trim() ? { client_id: values.client.trim(), client_secret_file: values.secret.trim() || undefined } : undefined,
      },
      reason: values.reason.trim() || undefined,
    };
    await request(path`/v1/issuers/${values.name.trim()}`, { method: 'PUT', json });
    await done();
  };
  const there = taken.includes(values.name.trim());
  const at = (/** @type {string} */ field) => errorAt(refused, `settings/${field}`) ?? errorAt(refused, `settings.${field}`);
  return html`<${Dialog} title="Add an issuer" verb="Add the issuer" wide=${true} close=${close} act=${act} refused=${setRefused} ready=${values.name.trim() !== '' && !there && rules.every((rule) => rule.scopes.length > 0)}>
    <div class="fields pairs">
      <${Field} label="Name" required value=${values.name} set=${set('name')} mono=${true} hint="What people press to sign in, such as hospital." error=${there ? 'There is one of that name: remove it first.' : errorAt(refused, 'name')} />
      <${Field} label="Issuer" required kind="url" value=${values.issuer} set=${set('issuer')} mono=${true} hint="The iss of its tokens, letter by letter." placeholder="https://login.example.org/realms/hospital" error=${at('issuer')} />
      <${Field} label="Audiences" required value=${values.audiences} set=${set('audiences')} mono=${true} hint="One of these must be in a token's aud." error=${at('audiences')} />
      <${Field} label="Signed with" required value=${values.algorithm} set=${set('algorithm')} choices=${ALGORITHMS.map((value) => ({ value, text: value }))} error=${at('algorithms')} />
    </div>
    ${rules.map((rule, index) => html`<fieldset key=${index} class="card rule"><legend class="visually-hidden">Rule ${index + 1}</legend>
      <div class="fields pairs">
        <${Field} label="Claim" required value=${rule.claim} set=${(/** @type {string} */ claim) => setRule(index, { claim })} mono=${true} hint="realm_access.roles is roles in realm_access." error=${at(`rules/${index}/claim`)} />
        <${Field} label="Is or holds" required value=${rule.value} set=${(/** @type {string} */ value) => setRule(index, { value })} mono=${true} />
      </div>
      <div class="choices">${SCOPES.map(([scope, meaning]) => html`<label key=${scope} title=${meaning}><input type="checkbox" checked=${rule.scopes.includes(scope)}
        onChange=${(/** @type {import('../view.js').FieldEvent} */ event) => setRule(index, { scopes: event.target.checked ? [...rule.scopes, scope] : rule.scopes.filter((one) => one !== scope) })} /> <span class="mono">${scope}</span></label>`)}</div>
      <${Field} label="For these models alone" value=${rule.models} set=${(/** @type {string} */ models) => setRule(index, { models })} mono=${true} placeholder="heartbeat, lab-*" />
      ${rules.length > 1 && html`<p><button type="button" class="danger" onClick=${() => setRules(rules.filter((_, other) => other !== index))}>Remove this rule</button></p>`}
    </fieldset>`)}
    <p><button type="button" onClick=${() => setRules([...rules, EMPTY])}>Add a rule</button></p>
    <div class="fields pairs">
      <${Field} label="Client for signing in at the page" value=${values.client} set=${set('client')} mono=${true} hint="Without one, tokens alone count." error=${at('login/client_id')} />
      <${Field} label="File with the client's secret" value=${values.secret} set=${set('secret')} mono=${true} hint="On the server. A public client has none." error=${at('login/client_secret_file')} />
      <${Field} label="Reason" value=${values.reason} set=${set('reason')} hint="Stands in the log." whole />
    </div>
  <//>`;
}
