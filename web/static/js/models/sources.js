// MLflow servers that versions come from: added, tried, browsed, pulled from, followed.

import { html, useState } from '../view.js';
import { path, Refusal, request } from '../api.js';
import { Dialog } from '../controls/dialog.js';
import { Check, Field, errorAt } from '../controls/field.js';
import { Empty, none, Shown, useLoaded } from '../controls/loaded.js';
import { Said } from '../controls/said.js';
import { State } from '../controls/state.js';
import { Table } from '../controls/table.js';
import { may, mayAll } from '../frame/may.js';
import { usePlace } from '../frame/place.js';
import { go, href } from '../frame/route.js';

/**
 * @typedef {import('openapi').FollowRule} Rule
 * @typedef {import('openapi').SourceState & {settings: any}} Source `settings` are those of its kind
 * @typedef {import('openapi').RemoteModel} Remote
 */

/** @param {Source} source @param {Partial<Source>} change */
const put = (source, change) => request(path`/v1/sources/${source.name}`, { method: 'PUT', seen: source.revision, json: { settings: source.settings, follow: source.follow, poll_s: source.poll_s, webhook_secret_file: source.webhook_secret_file, ...change } });

/** @param {{name?: string, session: import('../app.js').RoomProperties['session']}} properties */
export function Sources({ name, session }) {
  const sources = useLoaded((signal) => request('/v1/sources', { signal }), [], 5_000);
  const [open, setOpen] = useState(false);
  usePlace({ where: [{ text: 'Models', href: href('models') }, { text: 'MLflow sources', href: href('models', '~sources') }, ...(name ? [{ text: name }] : [])], model: null }, [name]);
  const add = mayAll(session.grants, 'models.write') && html`<button class="primary" onClick=${() => setOpen(true)}>Add a source</button>`;
  if (name) {
    return html`<${Shown} of=${sources} rows=${5} isEmpty=${(/** @type {import('openapi').SourceStateList} */ list) => !list.items.some((/** @type {Source} */ one) => one.name === name)} empty=${html`<${Empty} action=${html`<a class="button" href=${href('models', '~sources')}>All sources</a>`}>There is no source of that name.<//>`}>
      ${(/** @type {import('openapi').SourceStateList} */ list) => html`<${One} source=${list.items.find((/** @type {Source} */ one) => one.name === name)} again=${sources.again} session=${session} />`}<//>`;
  }
  const columns = /** @type {import('../controls/table.js').Column<Source>[]} */ ([
    { head: 'Source', wide: true, cell: (source) => html`<a href=${href('models', '~sources', source.name)}>${source.name}</a><br /><span class="mono quiet">${source.settings.url}</span>` },
    { head: 'State', wide: true, cell: (source) => html`<${Look} of=${source} />` },
    { head: 'Follows', cell: (source) => (source.follow.length ? source.follow.map((rule) => html`<div key=${rule.model + rule.alias}>${rule.model}${rule.alias ? `@${rule.alias}` : ', every version'}</div>`) : html`<span class="quiet">nothing</span>`) },
  ]);
  return html`<div class="page-head"><div><h1>MLflow sources</h1><p>Servers that versions are pulled from. What is served stays served while they are away.</p></div>${add}</div>
    <${Shown} of=${sources} isEmpty=${none} empty=${html`<${Empty} action=${add}>No MLflow server is known yet.<//>`}>
      ${(/** @type {import('openapi').SourceStateList} */ list) => html`<${Table} caption="Sources" columns=${columns} rows=${list.items} id=${(/** @type {Source} */ source) => source.name} />`}<//>
    ${open && html`<${Add} close=${() => setOpen(false)} />`}`;
}

/** @param {{of: Source}} properties */
function Look({ of: { status, follow } }) {
  if (status.error) return html`<${State} tone="bad">Failed when looked at last<//><br /><span class="quiet">${status.error}</span>`;
  if (status.looked_at_s === null || status.looked_at_s === undefined) return html`<${State} tone="plain">${follow.length ? 'Not looked at yet' : 'Looked at when asked'}<//>`;
  return html`<${State} tone="good">Answers<//>`;
}

/** @param {{close: () => void}} properties */
function Add({ close }) {
  const [name, setName] = useState('');
  const [url, setUrl] = useState('');
  const [kind, setKind] = useState('');
  const [user, setUser] = useState('');
  const [file, setFile] = useState('');
  const [refused, setRefused] = useState(/** @type {import('../api.js').ProblemDocument | null} */ (null));
  const credentials = kind === 'bearer' ? { kind, token_file: file.trim() } : kind === 'basic' ? { kind, user: user.trim(), password_file: file.trim() } : undefined;
  const act = async () => {
    await request(path`/v1/sources/${name.trim()}`, { method: 'PUT', json: { settings: { url: url.trim(), credentials } } });
    go('models', '~sources', name.trim());
  };
  return html`<${Dialog} title="Add a source" verb="Add the source" close=${close} act=${act} ready=${name.trim() !== '' && url.trim() !== ''} refused=${setRefused}>
    <div class="fields">
      <${Field} label="Name" value=${name} set=${setName} required=${true} hint="What it is called here, such as lab." error=${errorAt(refused, 'name')} />
      <${Field} label="Address" kind="url" value=${url} set=${setUrl} required=${true} placeholder="https://mlflow.example.org" mono=${true} error=${errorAt(refused, 'url')} />
      <${Field} label="Credentials" value=${kind} set=${setKind} choices=${[{ value: '', text: 'None' }, { value: 'bearer', text: 'A token' }, { value: 'basic', text: 'User and password' }]} />
      ${kind === 'basic' && html`<${Field} label="User" value=${user} set=${setUser} required=${true} />`}
      ${kind && html`<${Field} label=${kind === 'basic' ? 'File of the password' : 'File of the token'} value=${file} set=${setFile} required=${true} mono=${true} placeholder="/run/secrets/mlflow" hint="On the server. The secret itself would stay in the log for ever; naming a file needs admin." />`}
    </div>
  <//>`;
}

/** @param {{source: Source, again: () => Promise<void>, session: import('../app.js').RoomProperties['session']}} properties */
function One({ source, again, session }) {
  const [tested, setTested] = useState(/** @type {{mlflow: string, has_models: boolean} | import('../api.js').ProblemDocument | 'asking' | null} */ (null));
  const [browsing, setBrowsing] = useState(false);
  const [open, setOpen] = useState(/** @type {{what: 'pull' | 'follow' | 'remove' | 'unfollow', reference?: string, rule?: Rule} | null} */ (null));
  const close = () => setOpen(null);
  const promotes = may(session.grants, 'traffic');
  const test = async () => {
    setTested('asking');
    try {
      setTested(await request(path`/v1/sources/${source.name}/test`, { method: 'POST' }));
    } catch (cause) {
      if (!(cause instanceof Refusal)) throw cause;
      setTested(cause.problem);
    }
  };
  const waiting = Object.entries(source.status.waiting ?? {});
  return html`<div class="page-head"><div><h1>${source.name}</h1><p class="mono">${source.settings.url}</p><p><${Look} of=${source} /></p></div>
      <div class="actions"><button class="danger" onClick=${() => setOpen({ what: 'remove' })}>Remove</button>
        <button onClick=${test} disabled=${tested === 'asking'}>${tested === 'asking' ? 'Testing' : 'Test the connection'}</button>
        <button class="primary" onClick=${() => setOpen({ what: 'pull' })}>Pull a version</button></div></div>
    ${tested && tested !== 'asking' && ('detail' in tested ? html`<${Said} problem=${tested} />` : html`<p role="status"><${State} tone="good">It answers: MLflow ${tested.mlflow}${tested.has_models ? '' : ', without models'}<//></p>`)}
    <section class="block" aria-labelledby="follow-title"><header><h2 id="follow-title">Followed</h2><button onClick=${() => setOpen({ what: 'follow' })}>Follow an alias</button></header>
      ${source.follow.length === 0 ? html`<p class="quiet">Nothing. A followed alias is pulled whenever it moves.</p>` : html`<${Table} caption="Followed" rows=${source.follow} id=${(/** @type {Rule} */ rule) => `${rule.model}@${rule.alias}`} columns=${[
        { head: 'There', cell: (/** @type {Rule} */ rule) => html`${rule.model}<span class="quiet">${rule.alias ? `@${rule.alias}` : ', every version'}</span>` },
        { head: 'Points at', cell: (/** @type {Rule} */ rule) => source.status.seen?.[`${rule.model}@${rule.alias}`] ?? html`<span class="quiet">not known</span>` },
        { head: 'Here', cell: (/** @type {Rule} */ rule) => html`<a href=${href('models', rule.into ?? rule.model)}>${rule.into ?? rule.model}</a>` },
        { head: 'When it is ready', cell: (/** @type {Rule} */ rule) => (rule.promote ? html`<${State} tone="live">Answers at once<//>` : 'Waits for a promotion') },
        { head: 'Change', cell: (/** @type {Rule} */ rule) => html`<button class="danger" onClick=${() => setOpen({ what: 'unfollow', rule })}>Stop<span class="visually-hidden"> following ${rule.model}</span></button>` },
      ]} />`}
      ${waiting.length > 0 && html`<h3>Waiting</h3><ul class="plain">${waiting.map(([what, why]) => html`<li key=${what}><strong>${what}</strong> ${why}</li>`)}</ul>`}</section>
    <section class="block" aria-labelledby="there-title"><header><h2 id="there-title">What is there</h2>${!browsing && html`<button onClick=${() => setBrowsing(true)}>Browse</button>`}</header>
      ${browsing && html`<${There} source=${source.name} pull=${(/** @type {string} */ reference) => setOpen({ what: 'pull', reference })} />`}</section>
    ${open?.what === 'pull' && html`<${Pull} source=${source.name} reference=${open.reference} promotes=${promotes} close=${close} />`}
    ${open?.what === 'follow' && html`<${Follow} source=${source} promotes=${promotes} close=${close} again=${again} />`}
    ${open?.what === 'unfollow' && html`<${Dialog} title=${`Stop following ${open.rule?.model}`} verb="Stop following" danger=${true} close=${close} act=${async () => { await put(source, { follow: source.follow.filter((rule) => JSON.stringify(rule) !== JSON.stringify(open.rule)) }); await again(); }}><p>Versions that are here stay, and what answers goes on. Follow it again to undo this.</p><//>`}
    ${open?.what === 'remove' && html`<${Dialog} title=${`Remove the source ${source.name}`} verb="Remove the source" danger=${true} close=${close} act=${async () => { await request(path`/v1/sources/${source.name}`, { method: 'DELETE', seen: source.revision }); go('models', '~sources'); }}><p>Nothing of it is followed any more. Versions that are here stay, and what answers goes on. Add it again to undo this.</p><//>`}`;
}

/** @param {{source: string, pull: (reference: string) => void}} properties */
function There({ source, pull }) {
  const models = useLoaded((signal) => request(path`/v1/sources/${source}/models`, { signal }), [source]);
  const columns = /** @type {import('../controls/table.js').Column<Remote>[]} */ ([
    { head: 'Model', wide: true, cell: (model) => html`${model.name}${model.description && html`<br /><span class="quiet">${model.description}</span>`}` },
    { head: 'Aliases', cell: (model) => (Object.keys(model.aliases).length ? html`<div class="actions">${Object.entries(model.aliases).map(([alias, version]) => html`<button key=${alias} onClick=${() => pull(`${model.name}@${alias}`)}>Pull @${alias}<span class="quiet">${version}</span></button>`)}</div>` : html`<button onClick=${() => pull(`${model.name}/`)}>Pull a version<span class="visually-hidden"> of ${model.name}</span></button>`) },
  ]);
  return html`<${Shown} of=${models} isEmpty=${none} empty=${html`<${Empty}>It has no registered model.<//>`}>${(/** @type {any} */ list) => html`<${Table} caption="Registered models" columns=${columns} rows=${list.items} id=${(/** @type {Remote} */ model) => model.name} />`}<//>`;
}

/** Recipe and labels as a manifest. @param {string} recipe @param {string} labels */
function stated(recipe, labels) {
  const list = labels.split(/[\s,]+/).filter(Boolean);
  return { ...(recipe.trim() && { recipe: recipe.trim() }), ...(list.length && { labels: list }) };
}

/** @param {{recipe: string, setRecipe: (text: string) => void, labels: string, setLabels: (text: string) => void, refused: import('../api.js').ProblemDocument | null}} properties */
const Stated = ({ recipe, setRecipe, labels, setLabels, refused }) => html`<div class="fields pairs">
  <${Field} label="Recipe" value=${recipe} set=${setRecipe} mono=${true} offers=${['beat-rr-v1', 'kaggle-heartbeat-v1', 'none']} hint="Where neither tags nor files say it." error=${errorAt(refused, 'recipe')} />
  <${Field} label="Labels" value=${labels} set=${setLabels} mono=${true} placeholder="N, S, V, F" error=${errorAt(refused, 'labels')} /></div>`;

/** @param {{source: string, reference?: string, promotes: boolean, close: () => void}} properties */
function Pull({ source, reference: given = '', promotes, close }) {
  const [reference, setReference] = useState(given);
  const [into, setInto] = useState('');
  const [recipe, setRecipe] = useState('');
  const [labels, setLabels] = useState('');
  const [promote, setPromote] = useState(false);
  const [refused, setRefused] = useState(/** @type {import('../api.js').ProblemDocument | null} */ (null));
  const act = async () => {
    /** @type {import('openapi').VersionDetail} */
    const version = await request(path`/v1/sources/${source}/pull`, { method: 'POST', json: { reference: reference.trim(), into: into.trim() || undefined, manifest: stated(recipe, labels), promote } });
    go('models', version.model);
  };
  return html`<${Dialog} title=${`Pull a version from ${source}`} verb="Pull the version" close=${close} act=${act} ready=${reference.trim() !== ''} refused=${setRefused}>
    <div class="fields"><${Field} label="Version" value=${reference} set=${setReference} required=${true} mono=${true} placeholder="heartbeat@champion or heartbeat/3" error=${errorAt(refused, 'reference')} />
      <${Field} label="Model here" value=${into} set=${setInto} hint="The same name unless given." error=${errorAt(refused, 'into')} />
      <${Stated} recipe=${recipe} setRecipe=${setRecipe} labels=${labels} setLabels=${setLabels} refused=${refused} />
      ${promotes && html`<${Check} label="Promote it as soon as it is ready" checked=${promote} set=${setPromote} />`}</div>
  <//>`;
}

/** @param {{source: Source, promotes: boolean, close: () => void, again: () => Promise<void>}} properties */
function Follow({ source, promotes, close, again }) {
  const [model, setModel] = useState('');
  const [alias, setAlias] = useState('champion');
  const [into, setInto] = useState('');
  const [recipe, setRecipe] = useState('');
  const [labels, setLabels] = useState('');
  const [promote, setPromote] = useState(false);
  const [refused, setRefused] = useState(/** @type {import('../api.js').ProblemDocument | null} */ (null));
  const act = async () => {
    const rule = { model: model.trim(), alias: alias.trim() || undefined, into: into.trim() || undefined, manifest: stated(recipe, labels), promote };
    await put(source, { follow: [...source.follow, rule], poll_s: source.poll_s ?? 10 });
    await again();
  };
  return html`<${Dialog} title="Follow an alias" verb="Follow it" close=${close} act=${act} ready=${model.trim() !== ''} refused=${setRefused}>
    <div class="fields"><div class="fields pairs"><${Field} label="Model there" value=${model} set=${setModel} required=${true} error=${errorAt(refused, 'follow')} />
      <${Field} label="Alias" value=${alias} set=${setAlias} mono=${true} hint="Empty brings every new version." /></div>
      <${Field} label="Model here" value=${into} set=${setInto} hint="The same name unless given." />
      <${Stated} recipe=${recipe} setRecipe=${setRecipe} labels=${labels} setLabels=${setLabels} refused=${refused} />
      ${promotes && html`<${Check} label="It answers as soon as it is ready" hint="Without this it waits for a promotion here." checked=${promote} set=${setPromote} />`}</div>
  <//>`;
}
