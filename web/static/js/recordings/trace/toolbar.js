// What stands above and below the paper: the choices, and what is seen at which scale.

import { html, useEffect, useRef, useState } from '../../view.js';
import { figure } from '../../format.js';
import { Calibrate } from './calibrate.js';
import { measured } from './scale.js';

export const SPEEDS = [12.5, 25, 50];
const GAINS = [5, 10, 20];

/** What the keys do while the trace has the focus. */
const KEYS = [
  ['\u2190 \u2192', 'move; with a beat selected, to the beat before or after'],
  ['Enter', 'select a beat'],
  ['N S V F Q', 'relabel the selected beat'],
  ['U or Ctrl Z', 'undo the last relabelling'],
  ['C', 'calipers from the selected beat to the next'],
  ['\u2190 \u2192 \u2191 \u2193', 'with calipers, move the second leg by one sample or 0.01\u2009mV; with Shift by ten; X changes legs'],
  ['+ \u2212', 'zoom'],
  ['Page, Home, End', 'a page on, to the ends'],
  ['Esc', 'leave the beat or the calipers'],
];

/**
 * @typedef {import('./layout.js').Layout} Layout
 * @param {object} properties
 * @param {{name: string}[]} properties.leads
 * @param {string} properties.lead
 * @param {(lead: string) => void} properties.setLead
 * @param {Layout[]} properties.offered
 * @param {Layout} properties.layout
 * @param {(id: string) => void} properties.choose a layout
 * @param {number} properties.speed mm/s
 * @param {number} properties.gain mm/mV
 * @param {(gain: number) => void} properties.setGain
 * @param {(speed: number) => void} properties.zoom
 * @param {() => void} properties.whole shows the whole recording
 * @param {boolean} properties.measuring whether calipers are out
 * @param {(on: boolean) => void} properties.measure
 */
export function Toolbar({ leads, lead, setLead, offered, layout, choose, speed, gain, setGain, zoom, whole, measuring, measure }) {
  const standard = SPEEDS.includes(speed);
  return html`<div class="tools" role="group" aria-label="How the trace is shown">
    ${offered.length > 1 && html`<label>Layout <select value=${layout.id} onChange=${(/** @type {import('../../view.js').FieldEvent} */ event) => choose(event.target.value)}>
      ${offered.map((one) => html`<option value=${one.id}>${one.name}</option>`)}</select></label>`}
    <label>${layout.panels.length > 1 ? 'Rhythm lead' : 'Lead'} <select value=${lead} onChange=${(/** @type {import('../../view.js').FieldEvent} */ event) => setLead(event.target.value)}>
      ${leads.map((one) => html`<option value=${one.name}>${one.name}</option>`)}</select></label>
    <label>Speed <select value=${standard ? String(speed) : 'free'} onChange=${(/** @type {import('../../view.js').FieldEvent} */ event) => zoom(Number(event.target.value))}>
      ${SPEEDS.map((one) => html`<option value=${String(one)}>${figure(one, 'mm/s', one % 1 ? 1 : 0)}</option>`)}
      ${!standard && html`<option value="free">${figure(speed, 'mm/s', speed < 10 ? 2 : 1)}</option>`}</select></label>
    <label>Gain <select value=${String(gain)} onChange=${(/** @type {import('../../view.js').FieldEvent} */ event) => setGain(Number(event.target.value))}>
      ${GAINS.map((one) => html`<option value=${String(one)}>${figure(one, 'mm/mV')}</option>`)}</select></label>
    <button aria-pressed=${measuring} onClick=${() => measure(!measuring)}>Calipers</button>
    <span class="spring"></span>
    <span class="joined"><button onClick=${() => zoom(speed / 2)} aria-label="Zoom out">\u2212</button><button onClick=${() => zoom(speed * 2)} aria-label="Zoom in">+</button></span>
    <button onClick=${whole}>Whole recording</button>
  </div>`;
}

/** @param {{close: () => void}} properties */
function Keys({ close }) {
  const dialogue = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useEffect(() => dialogue.current?.showModal(), []);
  return html`<dialog ref=${dialogue} aria-labelledby="keys-title" onClose=${close}>
    <h2 id="keys-title">Keys on the trace</h2>
    <dl class="keys">${KEYS.map(([key, what]) => html`<div key=${key + what}><dt>${key}</dt><dd>${what}</dd></div>`)}</dl>
    <button class="primary" onClick=${() => dialogue.current?.close()}>Close</button>
  </dialog>`;
}

/** @param {{said: string, measured: string | null, speed: number, gain: number}} properties */
export function Caption({ said, measured: legs, speed, gain }) {
  const [open, setOpen] = useState(/** @type {'scale' | 'keys' | null} */ (null));
  const close = () => setOpen(null);
  const scale = SPEEDS.includes(speed) ? figure(speed, 'mm/s', speed % 1 ? 1 : 0) : 'free scale';
  return html`<p class="caption"><span role="status" class="spring">${said}</span>
    ${legs && html`<output class="measure" aria-label="Calipers">${legs}</output>`}
    <span>${scale}, ${figure(gain, 'mm/mV')}, pulse 1\u2009mV \u00d7 200\u2009ms; hollow or ?: suspect beat, hatched: unreadable</span>
    <span class="more"><button class="link" onClick=${() => setOpen('scale')}>${measured() === null ? 'Calibrate screen' : 'Calibrated'}</button><button class="link" onClick=${() => setOpen('keys')}>Keys</button></span></p>
    ${open === 'scale' && html`<${Calibrate} close=${close} />`}
    ${open === 'keys' && html`<${Keys} close=${close} />`}`;
}
