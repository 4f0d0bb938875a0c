// What follows from the beats: figures, and what made them.

import { html } from '../view.js';
import { Digest } from '../controls/digest.js';
import { CLASS_NAMES, duration, figure, percent, shortDigest } from '../format.js';

/** @param {import('openapi').Burden | null} burden */
function interval(burden) {
  return burden && burden.low !== null ? `${percent(burden.low)} to ${percent(burden.high)}` : 'too short for an interval';
}

/** The strip on top. @param {{document: import('./api.js').RecordingDocument}} properties */
export function Strip({ document }) {
  const { summary, model } = document;
  const tiles = [
    ['Mean rate', figure(summary.rate.mean_bpm, '/min'), `${figure(summary.rate.min_bpm, '')} to ${figure(summary.rate.max_bpm, '/min')}`],
    ['Beats', String(summary.beats), `in ${duration(summary.duration_s)}`],
    ['V burden', percent(summary.burden.V?.share), interval(summary.burden.V)],
    ['S burden', percent(summary.burden.S?.share), interval(summary.burden.S)],
    ['Unreadable', duration(summary.unreadable_s), percent(summary.unreadable_s / Math.max(summary.duration_s, 0.001))],
  ];
  return html`<div role="group" aria-label="Result at a glance"><dl class="strip">
    ${tiles.map(([label, value, below]) => html`<div key=${label}><dt>${label}</dt><dd>${value}</dd><dd class="quiet">${below}</dd></div>`)}
    <div><dt>Model</dt><dd class="small">${model.name} ${model.version}</dd>
      <dd class="quiet mono" title=${model.digest}>${shortDigest(model.digest)}</dd></div>
  </dl></div>`;
}

/** Beats by class and the rhythm. @param {{document: import('./api.js').RecordingDocument}} properties */
export function Figures({ document }) {
  const { summary } = document;
  const rows = [
    ['Couplets', `V ${summary.couplets.V}, S ${summary.couplets.S}`],
    ['Triplets', `V ${summary.triplets.V}, S ${summary.triplets.S}`],
    ['Runs', `V ${summary.runs.V.length}, S ${summary.runs.S.length}`],
    ['Pauses', String(summary.pauses.length)],
    ['Mean RR', figure(summary.rr.mean_ms, 'ms')],
    ['SDNN', figure(summary.rr.sdnn_ms, 'ms')],
    ['RMSSD', figure(summary.rr.rmssd_ms, 'ms')],
    ['pNN50', percent(summary.rr.pnn50)],
  ];
  return html`<div class="figures">
    <dl>${Object.entries(summary.counts).filter(([name, count]) => Number(count) > 0 || 'NSV'.includes(name)).map(([name, count]) => html`<div key=${name}>
      <dt><span class=${`mark mark-${name}`}>${name}</span> ${CLASS_NAMES[name]}</dt><dd>${String(count)}</dd></div>`)}
      ${summary.beats > summary.readable_beats && html`<div><dt><span class="mark mark-unreadable"></span> unreadable</dt><dd>${summary.beats - summary.readable_beats}</dd></div>`}</dl>
    <dl>${rows.map(([label, value]) => html`<div key=${label}><dt>${label}</dt><dd>${value}</dd></div>`)}</dl>
    <details><summary>What these figures mean</summary>
      <dl class="definitions">${summary.definitions.map((item) => html`<div key=${item.term}><dt>${item.term}</dt><dd>${item.definition}</dd></div>`)}</dl></details>
  </div>`;
}

/** What was read, and with what it was answered. @param {{document: import('./api.js').RecordingDocument}} properties */
export function About({ document }) {
  const { recording, model, notice } = document;
  const rows = [
    ['Model', `${model.name} ${model.version}`],
    ['Digest', html`<${Digest} of=${model.digest} />`],
    ['Recipe', model.recipe],
    ['Engine', `${model.engine} on ${model.device}`],
    ['Computed by', model.provider],
    ['Format', recording.format],
    ['Sampling rate', `${recording.sampling_rate_hz}\u2009Hz`],
    ['Lead', document.lead],
    ['Prediction', document.prediction && html`<${Digest} of=${document.prediction} />`],
  ].filter(([, value]) => value);
  return html`<div class="about">
    <p class="notice">${notice}</p>
    <dl>${rows.map(([label, value]) => html`<div key=${label}><dt>${label}</dt><dd>${value}</dd></div>`)}</dl>
    ${recording.flags.length > 0 && html`<h3>How it was read</h3>
      <ul class="flags">${recording.flags.map((flag) => html`<li key=${flag.detail}>${flag.detail}</li>`)}</ul>`}
    <p class="quiet small">Kept in memory and temporary files until the server stops.</p>
  </div>`;
}
