// The selected beat: what it is said to be, how sure, and what a reader says instead.

import { html } from '../view.js';
import { CLASS_NAMES, clock, figure, percent, words } from '../format.js';
import { CLASSES } from './labels.js';
import { around } from './rhythm.js';

/** @param {{beats: import('./api.js').Beat[], unreadable: import('./api.js').Span[], at: number, labels: import('./labels.js').Labels}} properties `at` is the beat's place, -1 for none */
export function Inspector({ beats, unreadable, at, labels }) {
  const beat = beats[at];
  const [before, after] = beat ? around(beats, at, unreadable) : [null, null];
  const model = beat && (beat.relabelled ? beat.said : beat.class);
  return html`<div class="inspector" role="group" aria-label="Selected beat">
    ${beat
      ? html`<p class="beat"><span class=${`mark mark-${beat.class ?? 'unreadable'}`} aria-hidden="true">${beat.class ?? ''}</span>
          <strong>${beat.class ? CLASS_NAMES[beat.class] : 'unreadable'}</strong> <span class="number">at ${clock(beat.time_s, 2)}</span>
          ${beat.relabelled && html`<span class="quiet">the model said ${beat.said ?? 'nothing'}</span>`}
          ${model && beat.probabilities && html`<span class="quiet">probability of ${model} ${percent(beat.probabilities[model])}</span>`}
          <span class="quiet">RR ${figure(before, 'ms')} before, ${figure(after, 'ms')} after</span>
          ${beat.quality !== 'good' && html`<span class="quiet">${words(beat.quality)}</span>`}</p>`
      : html`<p class="quiet">${labels.say ? 'Click a beat, or press Enter on the trace, to read or relabel it.' : 'Click a beat, or press Enter on the trace, to read it.'}</p>`}
    ${labels.say && beat && html`<p class="actions" role="group" aria-label="Relabel as">${CLASSES.map((name) => html`<button key=${name} class="class" aria-pressed=${beat.class === name}
      aria-label=${`Relabel as ${name}, ${CLASS_NAMES[name]}`} onClick=${() => labels.say?.([beat.sample], name)}>${name}</button>`)}</p>`}
    ${(labels.last || labels.refused) && html`<p class="said"><span role="status">${labels.refused ? `Not saved: ${labels.refused}${labels.waiting ? ' Trying again.' : ''}` : labels.waiting ? 'Saving' : labels.last}</span>
      ${labels.undo && html`<button class="link" onClick=${labels.undo}>Undo</button>`}</p>`}
  </div>`;
}
