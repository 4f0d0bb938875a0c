// What stays while one goes about: the rail of rooms, the line on top, the note on what this is for.

import { html } from '../view.js';
import { called } from './may.js';
import { href } from './route.js';
import { useCurrentPlace } from './place.js';

/** Strokes of one sign each, on a square of 24. */
const SIGNS = /** @type {Record<string, string>} */ ({
  recordings: 'M2 13h4l2-3 2 3h1l2-9 3 15 2-6h4',
  models: 'M12 3l8 4.5v9L12 21l-8-4.5v-9zM4.3 7.7L12 12l7.7-4.3M12 12v9',
  compare: 'M5 20V10M12 20V4M19 20v-7M3 20h18',
  operate: 'M4 18a9 9 0 1 1 16 0M12 14l4-5M12 14.5v.01',
  access: 'M14.5 9.5a4 4 0 1 1-8 0 4 4 0 0 1 8 0zM3.5 20c.6-3.3 3.300-5 7-5s6.400 1.700 7 5M18 7h4M20 5v4',
});

/** @param {{name: string}} properties */
const Sign = ({ name }) => html`<svg class="sign" viewBox="0 0 24 24" width="22" height="22" aria-hidden="true"><path d=${SIGNS[name]} /></svg>`;

/** @param {{rooms: {name: string, title: string}[], here: string | undefined}} properties */
function Rail({ rooms, here }) {
  return html`<nav class="rail" aria-label="Rooms">
    <a class="brand" href=${href('recordings')} title="Einthoven"><img src="/assets/icon.svg" alt="Einthoven" width="28" height="28" /></a>
    <ul>${rooms.map(({ name, title }) => html`<li key=${name}>
      <a href=${href(name)} aria-current=${name === here ? 'page' : undefined}><${Sign} name=${name} /><span>${title}</span></a></li>`)}</ul>
  </nav>`;
}

/** The way from the room to where one is. */
function Crumbs() {
  const { where } = useCurrentPlace();
  return html`<nav class="where" aria-label="Where you are"><ol>${where.map((one, index) => html`<li key=${one.text}>
    ${one.href && index < where.length - 1 ? html`<a href=${one.href}>${one.text}</a>` : html`<span aria-current="location">${one.text}</span>`}</li>`)}</ol></nav>`;
}

/** @param {{live: {name: string, version: string} | null, undo: any}} properties */
function ModelInUse({ live, undo }) {
  const { model, actions } = useCurrentPlace();
  const shown = model === undefined ? live : model;
  return html`${actions}
    ${shown && html`<a class="in-use" href=${href('models', shown.name)} title=${model === undefined ? 'The model that answers now' : 'The model that this came from'}>
      <span class="visually-hidden">${model === undefined ? 'Answers now: ' : 'Model: '}</span>${shown.name} <span class="number">${shown.version}</span></a>`}
    ${model === undefined && live && undo}`;
}

/**
 * The frame around a room; without rooms, around what is shown to nobody in particular.
 * @param {{rooms?: {name: string, title: string}[], here?: string, live?: {name: string, version: string} | null, undo?: any, name?: string, find?: any, signOut?: () => void, children?: any}} properties
 */
export function Frame({ rooms = [], here, live = null, undo, name, find, signOut, children }) {
  return html`<div class=${rooms.length ? 'frame' : 'frame bare'}>
    <a class="skip" href="#content" onClick=${(/** @type {Event} */ event) => { event.preventDefault(); document.getElementById('content')?.focus(); }}>Go to the content</a>
    ${rooms.length > 0 && html`<${Rail} rooms=${rooms} here=${here} />`}
    <header class="top">
      ${rooms.length > 0 ? html`<${Crumbs} />` : html`<a class="brand" href="/"><img src="/assets/icon.svg" alt="" width="24" height="24" />Einthoven</a>`}
      <span class="research">Research use only. Not for diagnosis.</span>
      ${rooms.length > 0 && html`<${ModelInUse} live=${live} undo=${undo} />`}
      ${find}
      ${name && html`<span class="who"><a class="person" href=${href('access')} title="Your session">${called(name)}</a>
        <button class="link quiet" onClick=${signOut}>Sign out</button></span>`}
    </header>
    <main id="content" tabindex="-1">${children}</main>
  </div>`;
}
