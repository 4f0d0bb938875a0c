// The room of models: all of them, one with its versions, one version, and the MLflow servers that versions come from.

import { html } from '../view.js';
import { List } from './list.js';
import { Model } from './model.js';
import { Sources } from './sources.js';
import { Version } from './version.js';

/** Stands before what is no model's name; none begins with it. */
export const SOURCES = '~sources';

/** @param {import('../app.js').RoomProperties} properties */
export function Models({ path: [name, version], session }) {
  if (!name) return html`<${List} session=${session} />`;
  if (name === SOURCES) return html`<${Sources} key=${version} name=${version} session=${session} />`;
  if (version) return html`<${Version} key=${`${name}/${version}`} model=${name} version=${version} session=${session} />`;
  return html`<${Model} key=${name} name=${name} session=${session} />`;
}
