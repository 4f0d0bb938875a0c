// All models: what answers, and where to bring one in.

import { html, useState } from '../view.js';
import { request } from '../api.js';
import { Empty, none, Shown, useLoaded } from '../controls/loaded.js';
import { State } from '../controls/state.js';
import { Table } from '../controls/table.js';
import { may, mayAll } from '../frame/may.js';
import { usePlace } from '../frame/place.js';
import { href } from '../frame/route.js';
import { RollBack } from './promote.js';
import { Upload } from './upload.js';

/** @param {{session: import('../app.js').RoomProperties['session']}} properties */
export function List({ session }) {
  const models = useLoaded((signal) => request('/v1/models', { signal }), [], 10_000);
  const [uploading, setUploading] = useState(false);
  const [rolling, setRolling] = useState(/** @type {string | null} */ (null));
  usePlace({ where: [{ text: 'Models' }] }, []);
  const writes = may(session.grants, 'models.write');
  const moves = may(session.grants, 'traffic');
  const upload = writes && html`<button class="primary" onClick=${() => setUploading(true)}>Upload a model</button>`;
  const columns = /** @type {import('../controls/table.js').Column<import('./api.js').ModelItem>[]} */ ([
    { head: 'Model', wide: true, cell: (model) => html`<a href=${href('models', model.name)}>${model.name}</a>${model.description && html`<br /><span class="quiet">${model.description}</span>`}` },
    { head: 'Answers', cell: (model) => (model.champion ? html`<${State} tone="live">Version ${model.champion}<//>` : html`<${State} tone="past">Nothing<//>`) },
    { head: 'Versions', numeric: true, cell: (model) => html`<span class="number">${model.versions}</span>` },
    ...(moves ? [{ head: 'Change', cell: (/** @type {import('./api.js').ModelItem} */ model) => model.champion && may(session.grants, 'traffic', model.name) && html`<button onClick=${() => setRolling(model.name)}>Roll back<span class="visually-hidden"> ${model.name}</span></button>` }] : []),
  ]);
  return html`<div class="page-head"><div><h1>Models</h1><p>Names that clients use, and the versions that answer for them.</p></div>
      <div class="actions">${mayAll(session.grants, 'models.write') && html`<a class="button" href=${href('models', '~sources')}>MLflow sources</a>`}${upload}</div></div>
    <${Shown} of=${models} isEmpty=${none} empty=${html`<${Empty} action=${upload}>There is no model yet.<//>`}>
      ${(/** @type {import('openapi').ModelItemList} */ list) => html`<${Table} caption="Models" columns=${columns} rows=${list.items} id=${(/** @type {import('./api.js').ModelItem} */ model) => model.name} />`}
    <//>
    ${uploading && html`<${Upload} close=${() => setUploading(false)} />`}
    ${rolling && html`<${RollBack} name=${rolling} close=${() => setRolling(null)} done=${models.again} />`}`;
}
