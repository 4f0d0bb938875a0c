// The room of access: who is here, keys for programs, people, and issuers whose tokens count.

import { html } from '../view.js';
import { Sections } from '../controls/sections.js';
import { may } from '../frame/may.js';
import { usePlace } from '../frame/place.js';
import { href } from '../frame/route.js';
import { Issuers } from './issuers.js';
import { Keys } from './keys.js';
import { Session } from './session.js';
import { Users } from './users.js';

const PARTS = /** @type {{name: string, title: string, Part: any}[]} */ ([
  { name: 'session', title: 'Your session', Part: Session },
  { name: 'keys', title: 'Keys', Part: Keys },
  { name: 'people', title: 'People', Part: Users },
  { name: 'issuers', title: 'Issuers', Part: Issuers },
]);

/** @param {import('../app.js').RoomProperties} properties */
export function Access({ path: [wanted], session }) {
  const parts = may(session.grants, 'admin') ? PARTS : PARTS.slice(0, 1);
  const here = parts.find((part) => part.name === wanted) ?? parts[0];
  usePlace({ where: [{ text: 'Access', href: href('access') }, ...(here === parts[0] ? [] : [{ text: here.title }])], model: null }, [here]);
  return html`<h1 class="visually-hidden">Access</h1>
    ${parts.length > 1 && html`<${Sections} label="Access" items=${parts.map((part) => ({ text: part.title, href: href('access', part.name), here: part === here }))} />`}
    <${here.Part} session=${session} />`;
}
