// Movable names for versions.

import { html, useState } from '../view.js';
import { path, request } from '../api.js';
import { Dialog } from '../controls/dialog.js';
import { Field, errorAt } from '../controls/field.js';
import { href } from '../frame/route.js';
import { newestFirst } from './api.js';

/** @param {{model: import('./api.js').Model, moves: boolean, again: () => Promise<void>}} properties */
export function Aliases({ model, moves, again }) {
  const [open, setOpen] = useState(/** @type {{what: 'move' | 'remove', alias?: string} | null} */ (null));
  const all = Object.entries(model.aliases);
  return html`<section class="block" aria-labelledby="aliases-title">
    <header><h2 id="aliases-title">Aliases</h2>${moves && html`<button onClick=${() => setOpen({ what: 'move' })}>Add an alias</button>`}</header>
    ${all.length === 0 ? html`<p class="quiet">None. An alias lets clients ask for <span class="mono">${model.name}@staging</span>, whatever version that is.</p>` : html`<ul class="plain aliases">${all.map(([alias, version]) => html`<li key=${alias}>
      <span class="mono">@${alias}</span> <span class="quiet">is</span> <a href=${href('models', model.name, version)}>version ${version}</a>
      ${moves && html`<span class="actions"><button onClick=${() => setOpen({ what: 'move', alias })}>Move<span class="visually-hidden"> ${alias}</span></button>
        <button class="danger" onClick=${() => setOpen({ what: 'remove', alias })}>Remove<span class="visually-hidden"> ${alias}</span></button></span>`}</li>`)}</ul>`}
    ${open?.what === 'move' && html`<${Move} model=${model} alias=${open.alias} close=${() => setOpen(null)} again=${again} />`}
    ${open?.what === 'remove' && html`<${Dialog} title=${`Remove the alias ${open.alias}`} verb="Remove the alias" danger=${true} close=${() => setOpen(null)}
        act=${async () => { await request(path`/v1/models/${model.name}/aliases/${open.alias ?? ''}`, { method: 'DELETE', seen: model.revision }); await again(); }}>
      <p>Whoever asks for <span class="mono">${model.name}@${open.alias}</span> is told that there is none. Add it again to undo this.</p><//>`}
  </section>`;
}

/** @param {{model: import('./api.js').Model, alias?: string, close: () => void, again: () => Promise<void>}} properties */
function Move({ model, alias, close, again }) {
  const [name, setName] = useState(alias ?? '');
  const choices = newestFirst(model).map((version) => ({ value: version.name, text: `Version ${version.name}` }));
  const [version, setVersion] = useState((alias && model.aliases[alias]) || choices[0]?.value || '');
  const [refused, setRefused] = useState(/** @type {import('../api.js').ProblemDocument | null} */ (null));
  const act = async () => {
    await request(path`/v1/models/${model.name}/aliases/${name.trim()}`, { method: 'PUT', seen: model.revision, json: { version } });
    await again();
  };
  return html`<${Dialog} title=${alias ? `Move the alias ${alias}` : 'Add an alias'} verb=${alias ? `Move it to version ${version}` : 'Add the alias'} close=${close} act=${act} ready=${name.trim() !== '' && version !== ''} refused=${setRefused}>
    <div class="fields">${!alias && html`<${Field} label="Alias" value=${name} set=${setName} required=${true} mono=${true} error=${errorAt(refused, 'alias')} />`}
      <${Field} label="Version" value=${version} set=${setVersion} required=${true} choices=${choices} error=${errorAt(refused, 'version')} /></div>
  <//>`;
}
