// People who sign in with a password, and what they are here.

import { html, useId, useState } from '../view.js';
import { path, request } from '../api.js';
import { Dialog } from '../controls/dialog.js';
import { Field, errorAt } from '../controls/field.js';
import { Empty, none, Shown, useLoaded } from '../controls/loaded.js';
import { Table } from '../controls/table.js';
import { Time } from '../controls/time.js';
import { called } from '../frame/may.js';
import { ROLES } from './scopes.js';

/** @typedef {import('openapi').User} User */

/** @param {string} role */
const title = (role) => ROLES.find(([name]) => name === role)?.[1] ?? role;

/** @param {{session: import('../app.js').RoomProperties['session']}} properties */
export function Users({ session }) {
  const users = useLoaded((signal) => request('/v1/users', { signal }), []);
  const [open, setOpen] = useState(/** @type {{what: 'add' | 'role' | 'password' | 'remove', user?: User} | null} */ (null));
  const ask = (/** @type {'role' | 'password' | 'remove'} */ what, /** @type {User} */ user) => () => setOpen({ what, user });
  const close = () => setOpen(null);
  const done = () => users.again();
  const columns = /** @type {import('../controls/table.js').Column<User>[]} */ ([
    { head: 'Name', cell: (user) => html`${user.name}${user.name === called(session.name) ? html` <span class="quiet">you</span>` : ''}` },
    { head: 'Role', cell: (user) => user.roles.map(title).join(', ') },
    { head: 'Added', cell: (user) => html`<${Time} at=${user.created_at} /> by ${called(user.created_by)}` },
    { head: 'Change', cell: (user) => html`<div class="actions">
      <button onClick=${ask('role', user)}>Change role<span class="visually-hidden"> of ${user.name}</span></button>
      <button onClick=${ask('password', user)}>New password<span class="visually-hidden"> for ${user.name}</span></button>
      <button class="danger" onClick=${ask('remove', user)}>Remove<span class="visually-hidden"> ${user.name}</span></button></div>` },
  ]);
  const Ask = open && { add: Add, role: Role, password: Password, remove: Remove }[open.what];
  return html`<section class="block" aria-labelledby="people-title">
    <header><h2 id="people-title">People</h2><button class="primary" onClick=${() => setOpen({ what: 'add' })}>Add a person</button></header>
    <${Shown} of=${users} isEmpty=${none} empty=${html`<${Empty}>Nobody signs in with a password yet. Add the first person, as an owner.<//>`}>
      ${(/** @type {import('openapi').UserList} */ list) => html`<${Table} caption="People" columns=${columns} rows=${list.items} id=${(/** @type {User} */ user) => user.name} />`}
    <//>
    ${Ask && html`<${Ask} user=${open.user} close=${close} done=${done} />`}
  </section>`;
}

/** @param {{value: string, set: (role: string) => void}} properties */
function RoleChoice({ value, set }) {
  const id = useId();
  return html`<fieldset><legend>Role</legend>${ROLES.map(([role, name, meaning]) => html`<div class="check" key=${role}>
    <input type="radio" name=${id} id=${`${id}-${role}`} value=${role} checked=${value === role} onChange=${() => set(role)} aria-describedby=${`${id}-${role}-hint`} />
    <label for=${`${id}-${role}`}>${name}</label><p class="hint" id=${`${id}-${role}-hint`}>${meaning}</p></div>`)}</fieldset>`;
}

/** @typedef {{user: User, close: () => void, done: () => Promise<void>}} AskProperties */

/** @param {AskProperties} properties */
function Add({ close, done }) {
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const [role, setRole] = useState('viewer');
  const [refused, setRefused] = useState(/** @type {import('../api.js').ProblemDocument | null} */ (null));
  const act = async () => {
    await request('/v1/users', { method: 'POST', json: { name: name.trim(), password, roles: [role] } });
    await done();
  };
  return html`<${Dialog} title="Add a person" verb="Add the person" close=${close} act=${act} ready=${name.trim() !== '' && password !== ''} refused=${setRefused}>
    <div class="fields">
      <${Field} label="Name" value=${name} set=${setName} required=${true} error=${errorAt(refused, 'name')} />
      <${Field} label="Password" kind="password" value=${password} set=${setPassword} required=${true} autocomplete="new-password" hint="Give it to them in person. There is no other way to set one." error=${errorAt(refused, 'password')} />
      <${RoleChoice} value=${role} set=${setRole} />
    </div>
  <//>`;
}

/** @param {AskProperties} properties */
function Role({ user, close, done }) {
  const [role, setRole] = useState(user.roles[0] ?? 'viewer');
  const act = async () => {
    await request(path`/v1/users/${user.name}`, { method: 'PATCH', seen: user.revision, json: { roles: [role] } });
    await done();
  };
  return html`<${Dialog} title=${`Change the role of ${user.name}`} verb=${`Make ${user.name} ${/^[aeiou]/.test(role) ? 'an' : 'a'} ${title(role).toLowerCase()}`} close=${close} act=${act} ready=${user.roles.length !== 1 || role !== user.roles[0]}>
    <div class="fields"><${RoleChoice} value=${role} set=${setRole} /></div>
  <//>`;
}

/** @param {AskProperties} properties */
function Password({ user, close, done }) {
  const [password, setPassword] = useState('');
  const [refused, setRefused] = useState(/** @type {import('../api.js').ProblemDocument | null} */ (null));
  const act = async () => {
    await request(path`/v1/users/${user.name}`, { method: 'PATCH', seen: user.revision, json: { password } });
    await done();
  };
  return html`<${Dialog} title=${`New password for ${user.name}`} verb="Set the password" close=${close} act=${act} ready=${password !== ''} refused=${setRefused}>
    <p>The old one stops working, and every session of ${user.name} ends.</p>
    <div class="fields"><${Field} label="New password" kind="password" value=${password} set=${setPassword} required=${true} autocomplete="new-password" error=${errorAt(refused, 'password')} /></div>
  <//>`;
}

/** @param {AskProperties} properties */
function Remove({ user, close, done }) {
  const [reason, setReason] = useState('');
  const act = async () => {
    await request(`${path`/v1/users/${user.name}`}${reason.trim() ? `?reason=${encodeURIComponent(reason.trim())}` : ''}`, { method: 'DELETE', seen: user.revision });
    await done();
  };
  return html`<${Dialog} title=${`Remove ${user.name}`} verb=${`Remove ${user.name}`} danger=${true} close=${close} act=${act}>
    <p>Their sessions end and they cannot sign in. What they did stays in the log. Add them again with a new password to undo this.</p>
    <div class="fields"><${Field} label="Reason" value=${reason} set=${setReason} hint="Stands in the log." /></div>
  <//>`;
}
