// The page: who is here, and the room they are in.

import { html, render, useEffect, useErrorBoundary, useState } from './view.js';
import * as api from './api.js';
import { Said } from './controls/said.js';
import { Skeleton } from './controls/loaded.js';
import { Finder } from './frame/finder.js';
import { Frame } from './frame/frame.js';
import { SignIn } from './frame/signin.js';
import { may } from './frame/may.js';
import { usePlace } from './frame/place.js';
import { Undo } from './frame/undo.js';
import { become, useRoute } from './frame/route.js';
import { Recordings } from './recordings/room.js';

/**
 * A room gets the names in the address behind its own, and who is here.
 * @typedef {{path: string[], session: Extract<api.Session, {signed_in: true}>}} RoomProperties
 * @typedef {(properties: RoomProperties) => any} Room
 */

/** The rooms and what one must be allowed to see them. All but the first are loaded when they are entered. */
const ROOMS = /** @type {{name: string, title: string, scope: string | null, load: () => Promise<Room>}[]} */ ([
  { name: 'recordings', title: 'Recordings', scope: 'predict', load: () => Promise.resolve(Recordings) },
  { name: 'models', title: 'Models', scope: 'models.read', load: () => import('./models/room.js').then((loaded) => loaded.Models) },
  { name: 'compare', title: 'Compare', scope: 'models.read', load: () => import('./compare/room.js').then((loaded) => loaded.Compare) },
  { name: 'operate', title: 'Operate', scope: 'models.read', load: () => import('./operate/room.js').then((loaded) => loaded.Operate) },
  { name: 'access', title: 'Access', scope: null, load: () => import('./access/room.js').then((loaded) => loaded.Access) },
]);

/** Who is here; what the page is for is shown to them alone. */
function App() {
  const [session, setSession] = useState(/** @type {api.Session | null} */ (null));
  const [lost, setLost] = useState(/** @type {api.ProblemDocument | null} */ (null));
  const look = () => api.session().then(
    (found) => { setLost(null); setSession(found); },
    (cause) => {
      if (!(cause instanceof api.Refusal)) throw cause;
      setLost(cause.problem);
    },
  );
  useEffect(() => {
    api.listener.signedOut = look;
    look();
    // A file that misses its target must not take the page's place.
    const kept = (/** @type {Event} */ event) => event.preventDefault();
    addEventListener('dragover', kept);
    addEventListener('drop', kept);
    return () => {
      removeEventListener('dragover', kept);
      removeEventListener('drop', kept);
    };
  }, []);
  if (session?.signed_in) return html`<${House} session=${session} signOut=${() => api.signOut().then(look, look)} />`;
  return html`<${Frame}>
    ${lost && html`<${Said} problem=${lost} retry=${look} />`}
    ${session && html`<${SignIn} offers=${session.offers} done=${look} />`}
  <//>`;
}

/** @param {{session: RoomProperties['session'], signOut: () => void}} properties */
function House({ session, signOut }) {
  const route = useRoute();
  const rooms = ROOMS.filter(({ scope }) => scope === null || may(session.grants, scope));
  const [name, ...path] = route;
  const here = rooms.find((room) => room.name === name);
  const [live, setLive] = useState(/** @type {{name: string, version: string} | null} */ (null));
  useEffect(() => {
    if (here) return;
    // The address of a recording was once its id alone.
    const known = ROOMS.some((room) => room.name === name);
    become(...(name && !known && may(session.grants, 'predict') ? ['recordings', name] : [rooms[0].name]));
  }, [name]);
  const lookAgain = () => {
    if (!may(session.grants, 'models.read')) return;
    // Where it cannot be said, it is not shown.
    api.request('/v1/models').then(({ items }) => {
      const first = items.find((model) => model.champion);
      setLive(first?.champion ? { name: first.name, version: first.champion } : null);
    }, () => setLive(null));
  };
  useEffect(lookAgain, [name]);
  return html`<${Frame} rooms=${rooms} here=${here?.name} live=${live} name=${session.name}
      undo=${live && may(session.grants, 'traffic', live.name) && html`<${Undo} name=${live.name} done=${lookAgain} />`} signOut=${signOut}
      find=${may(session.grants, 'models.read') && html`<${Finder} rooms=${rooms} />`}>
    ${here && html`<${Entered} key=${here.name} room=${here} path=${path} session=${session} />`}
  <//>`;
}

/** A room, once its modules are here. @param {{room: typeof ROOMS[number], path: string[], session: RoomProperties['session']}} properties */
function Entered({ room, path, session }) {
  const [shown, setShown] = useState(/** @type {{Room: Room} | null} */ (room.name === 'recordings' ? { Room: Recordings } : null));
  const [missing, setMissing] = useState(false);
  const [broken] = useErrorBoundary();
  const load = () => {
    setMissing(false);
    return room.load().then((Room) => setShown({ Room }), () => setMissing(true));
  };
  usePlace({ where: [{ text: room.title }] }, []);
  useEffect(() => { if (!shown) load(); }, []);
  if (broken) {
    console.error(broken);
    return html`<${Said} problem=${{ title: 'this room cannot be shown', status: 500, detail: `The page failed to draw it: ${broken.message ?? broken}. Reload the page.` }} />`;
  }
  if (missing) return html`<${Said} problem=${{ title: 'no answer', status: 0, detail: 'The server does not answer. Is it still running?' }} retry=${load} />`;
  return shown ? html`<${shown.Room} path=${path} session=${session} />` : html`<${Skeleton} rows=${4} />`;
}

const root = document.getElementById('app');
if (root) {
  root.replaceChildren();
  render(html`<${App} />`, root);
}
