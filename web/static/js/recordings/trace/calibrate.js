// A dialogue in which a card or a ruler, held to the screen, says how long a millimetre is there.

import { html, useState } from '../../view.js';
import { Dialog } from '../../controls/dialog.js';
import { figure } from '../../format.js';
import { ASSUMED, CARD_MM, LEAST, MOST, calibrate, measured, millimetre } from './scale.js';

/** @param {{close: () => void}} properties */
export function Calibrate({ close }) {
  const [pixels, setPixels] = useState(millimetre());
  const known = measured() !== null;
  const set = (/** @type {number} */ value) => setPixels(Math.min(MOST, Math.max(LEAST, value)));
  const card = CARD_MM * pixels;
  return html`<${Dialog} title="Calibrate this screen" verb="Keep this scale" act=${async () => calibrate(pixels)} close=${close}>
    <p>Hold a bank card to the screen and make the drawn card as wide. A ruler does as well: the bar below it is 50 mm long.</p>
    <div class="shapes"><svg class="card-shape" width=${card + 2} height=${Math.min(300, 53.98 * pixels + 2)} role="img" aria-label="A card to compare with">
      <rect x="1" y="1" width=${card} height=${53.98 * pixels} rx=${3.18 * pixels} />
    </svg>
    <svg class="ruler-shape" width=${50 * pixels + 2} height="24" role="img" aria-label="A ruler of 50 mm">
      <path d=${Array.from({ length: 51 }, (_, at) => `M${1 + at * pixels} 24V${at % 10 === 0 ? 4 : at % 5 === 0 ? 12 : 17}`).join('')} />
    </svg></div>
    <div class="calibration"><label>Width of the card on the screen
      <input type="range" min=${CARD_MM * LEAST} max=${CARD_MM * MOST} step="0.5" value=${card} onInput=${(/** @type {import('../../view.js').FieldEvent} */ event) => set(Number(event.target.value) / CARD_MM)} /></label>
    <label>Exactly, in pixels
      <input type="number" min=${Math.ceil(CARD_MM * LEAST)} max=${Math.floor(CARD_MM * MOST)} step="0.1" value=${card.toFixed(1)} onChange=${(/** @type {import('../../view.js').FieldEvent} */ event) => set(Number(event.target.value) / CARD_MM)} /></label></div>
    <p class="quiet small">${figure(pixels, 'pixels a millimetre', 3)}. ${known ? 'This screen is calibrated.' : `Not calibrated: ${figure(ASSUMED, 'is assumed', 3)}.`} Kept in this browser only.</p>
    ${known && html`<p><button type="button" class="link" onClick=${() => { calibrate(null); close(); }}>Forget the calibration</button></p>`}
  <//>`;
}
