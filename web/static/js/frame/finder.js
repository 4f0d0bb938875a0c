// Going somewhere by its name: rooms, models, recordings. `/` or Ctrl+K opens it.

import { html, useEffect, useId, useRef, useState } from '../view.js';
import { request } from '../api.js';
import { go } from './route.js';

/** @typedef {{text: string, kind: string, to: string[]}} Goal */

/** Everything that has a name here. What cannot be listed is left out. @param {{name: string, title: string}[]} rooms @returns {Promise<Goal[]>} */
async function goals(rooms) {
  const [models, recordings] = await Promise.all([
    request('/v1/models').then(({ items }) => items, () => []),
    request('/v1/recordings').then(({ items }) => items, () => []),
  ]);
  return [
    ...rooms.map((room) => ({ text: room.title, kind: 'room', to: [room.name] })),
    ...models.map((model) => ({ text: model.name, kind: 'model', to: ['models', model.name] })),
    ...recordings.map((one) => ({ text: one.name, kind: 'recording', to: ['recordings', one.id] })),
  ];
}

/** @param {{rooms: {name: string, title: string}[]}} properties */
export function Finder({ rooms }) {
  const [open, setOpen] = useState(false);
  useEffect(() => {
    const pressed = (/** @type {KeyboardEvent} */ event) => {
      const typing = event.target instanceof HTMLElement && event.target.closest('input, textarea, select, dialog');
      const asks = (event.key === '/' && !typing && !event.ctrlKey && !event.metaKey) || (event.key === 'k' && (event.ctrlKey || event.metaKey));
      if (!asks) return;
      event.preventDefault();
      setOpen(true);
    };
    addEventListener('keydown', pressed);
    return () => removeEventListener('keydown', pressed);
  }, []);
  return html`<button class="find" aria-label="Search" onClick=${() => setOpen(true)} aria-keyshortcuts="/ Control+K"><svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true"><path d="M7 12a5 5 0 1 0 0-10 5 5 0 0 0 0 10zM11 11l3.500 3.500" /></svg><span>Search</span><kbd>/</kbd></button>
    ${open && html`<${Choice} rooms=${rooms} close=${() => setOpen(false)} />`}`;
}

/** @param {{rooms: {name: string, title: string}[], close: () => void}} properties */
function Choice({ rooms, close }) {
  const id = useId();
  const element = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const [all, setAll] = useState(/** @type {Goal[]} */ ([]));
  const [wanted, setWanted] = useState('');
  const [at, setAt] = useState(0);
  useEffect(() => {
    const before = document.activeElement;
    element.current?.showModal();
    goals(rooms).then(setAll);
    return () => { if (before instanceof HTMLElement) before.focus(); };
  }, []);
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
  const found = all.filter((goal) => words.every((word) => `${goal.text} ${goal.kind}`.toLowerCase().includes(word))).slice(0, 12);
  const take = (/** @type {Goal | undefined} */ goal) => {
    if (!goal) return;
    close();
    go(...goal.to);
  };
  const pressed = (/** @type {KeyboardEvent} */ event) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step && found.length) {
      event.preventDefault();
      setAt((at + step + found.length) % found.length);
    } else if (event.key === 'Enter') {
      event.preventDefault();
      take(found[at]);
    }
  };
  return html`<dialog ref=${element} class="finder" aria-label="Search" onCancel=${(/** @type {Event} */ event) => { event.preventDefault(); close(); }}
      onClick=${(/** @type {Event} */ event) => { if (event.target === element.current) close(); }}>
    <input type="search" role="combobox" aria-label="Room, model or recording" aria-expanded="true" aria-controls=${id} aria-autocomplete="list" aria-activedescendant=${found[at] ? `${id}-${at}` : undefined}
      placeholder="Room, model or recording" value=${wanted} onKeyDown=${pressed} onInput=${(/** @type {import('../view.js').FieldEvent} */ event) => { setWanted(event.target.value); setAt(0); }} />
    <ul role="listbox" id=${id} aria-label="What there is">${found.map((goal, index) => html`<li key=${goal.to.join('/')} id=${`${id}-${index}`} role="option" aria-selected=${index === at ? 'true' : 'false'}
        onClick=${() => take(goal)} onMouseMove=${() => setAt(index)}><span>${goal.text}</span><span class="quiet">${goal.kind}</span></li>`)}</ul>
    ${all.length > 0 && found.length === 0 && html`<p class="quiet none">Nothing here has that name.</p>`}
  </dialog>`;
}
