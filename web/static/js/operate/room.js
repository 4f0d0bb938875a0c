// The room of operation: what the server does now, long work, what it is made of, and every change.

import { html } from '../view.js';
import { Sections } from '../controls/sections.js';
import { mayAll } from '../frame/may.js';
import { usePlace } from '../frame/place.js';
import { href } from '../frame/route.js';
import { Audit } from './audit.js';
import { Jobs } from './jobs.js';
import { Live } from './live.js';
import { Plugins } from './plugins.js';

/** @param {import('../app.js').RoomProperties} properties */
export function Operate({ path: [wanted], session }) {
  const parts = /** @type {{name: string, title: string, Part: any}[]} */ ([
    { name: 'live', title: 'Live', Part: Live },
    { name: 'jobs', title: 'Jobs', Part: Jobs },
    { name: 'plugins', title: 'Engines and readers', Part: Plugins },
    ...(mayAll(session.grants, 'audit.read') ? [{ name: 'log', title: 'Log', Part: Audit }] : []),
  ]);
  const here = parts.find((part) => part.name === wanted) ?? parts[0];
  usePlace({ where: [{ text: 'Operate', href: href('operate') }, ...(here === parts[0] ? [] : [{ text: here.title }])] }, [here.name]);
  return html`<h1 class="visually-hidden">Operate</h1>
    <${Sections} label="Operate" items=${parts.map((part) => ({ text: part.title, href: href('operate', part.name), here: part === here }))} />
    <${here.Part} session=${session} />`;
}
