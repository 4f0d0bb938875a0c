// The way back from anywhere: one click asks, the second rolls the model back.

import { html, useState } from '../view.js';

/** @param {{name: string, done: () => void}} properties */
export function Undo({ name, done }) {
  const [ask, setAsk] = useState(/** @type {{RollBack: any} | null} */ (null));
  // Where its module cannot be had, the room of models says that the server is away.
  const open = () => import('../models/promote.js').then(({ RollBack }) => setAsk({ RollBack }), () => {});
  return html`<button onClick=${open}>Roll back<span class="visually-hidden"> ${name}</span></button>
    ${ask && html`<${ask.RollBack} name=${name} close=${() => setAsk(null)} done=${done} />`}`;
}
