// Several panels of which one is shown: arrow keys go from tab to tab.

import { html, useId, useRef, useState } from '../view.js';

/** @param {{name: string, tabs: {id: string, title: string, note?: string, body: () => any}[]}} properties */
export function Tabs({ name, tabs }) {
  const [chosen, choose] = useState(tabs[0].id);
  const id = useId();
  const list = useRef(/** @type {HTMLElement | null} */ (null));
  const at = Math.max(0, tabs.findIndex((tab) => tab.id === chosen));
  const pressed = (/** @type {KeyboardEvent} */ event) => {
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const next = (to + tabs.length) % tabs.length;
    choose(tabs[next].id);
    /** @type {HTMLElement | undefined} */ (list.current?.children[next])?.focus();
  };
  return html`<section class="tabbed" aria-label=${name}>
    <div class="tabs" role="tablist" aria-label=${name} ref=${list} onKeyDown=${pressed}>${tabs.map((tab, index) => html`<button key=${tab.id} id=${`${id}-${tab.id}`} role="tab"
      aria-selected=${index === at} aria-controls=${`${id}-panel`} tabindex=${index === at ? 0 : -1} onClick=${() => choose(tab.id)}>${tab.title}${tab.note && html` <span class="quiet number">${tab.note}</span>`}</button>`)}</div>
    <div class="tab-panel" role="tabpanel" id=${`${id}-panel`} aria-labelledby=${`${id}-${tabs[at].id}`} tabindex="0">${tabs[at].body()}</div>
  </section>`;
}
