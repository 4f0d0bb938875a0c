// What follows from the beats: figures, events to jump to, definitions.

import { html } from '../view.js';
import { CLASS_NAMES, clock, duration, figure, percent, shortDigest } from '../format.js';

/** @param {any} burden */
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

/** Two ectopic beats of one class between others. @param {import('./api.js').Beat[]} beats */
function couplets(beats) {
  const list = [];
  for (let i = 0; i < beats.length; ) {
    let end = i + 1;
    while (end < beats.length && beats[end].class === beats[i].class) end += 1;
    const name = beats[i].class;
    if ((name === 'V' || name === 'S') && end - i === 2) {
      list.push({ time: beats[i].time_s, kind: `${CLASS_NAMES[name]} couplet`, text: figure(1000 * (beats[i + 1].time_s - beats[i].time_s), 'ms apart') });
    }
    i = end;
  }
  return list;
}

/** @param {any} summary @param {import('./api.js').Beat[]} beats @returns {{time: number, kind: string, text: string}[]} */
function events(summary, beats) {
  const list = couplets(beats);
  for (const name of ['V', 'S']) {
    for (const run of summary.runs[name]) {
      const kind = run.tachycardia ? 'ventricular tachycardia' : `run of ${CLASS_NAMES[name]} beats`;
      list.push({ time: run.start_s, kind, text: `${run.beats} beats at ${figure(run.rate_bpm, '/min')}` });
    }
  }
  for (const pause of summary.pauses) list.push({ time: pause.start_s, kind: 'pause', text: figure(pause.duration_s, 's', 2) });
  for (const [kind, found] of [['bigeminy', summary.bigeminy], ['trigeminy', summary.trigeminy]]) {
    for (const episode of found) list.push({ time: episode.start_s, kind, text: `${episode.beats} beats` });
  }
  return list.sort((a, b) => a.time - b.time);
}

/** The panel beside the trace. @param {{document: import('./api.js').RecordingDocument, go: (time: number) => void}} properties */
export function Panel({ document, go }) {
  const { summary, recording, model } = document;
  const found = events(summary, document.beats);
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
  return html`<aside class="panel" aria-label="Summary">
    <section><h2>Beats</h2>
      <dl class="counts">${Object.entries(summary.counts).filter(([name, count]) => Number(count) > 0 || 'NSV'.includes(name)).map(([name, count]) => html`<div key=${name}>
        <dt><span class=${`mark mark-${name}`}>${name}</span> ${CLASS_NAMES[name]}</dt><dd>${String(count)}</dd></div>`)}
      ${summary.beats > summary.readable_beats && html`<div><dt><span class="mark mark-unreadable"></span> unreadable</dt><dd>${summary.beats - summary.readable_beats}</dd></div>`}</dl></section>
    <section><h2>Rhythm</h2>
      <dl class="pairs">${rows.map(([label, value]) => html`<div key=${label}><dt>${label}</dt><dd>${value}</dd></div>`)}</dl></section>
    <section><h2>Events</h2>
      ${found.length
        ? html`<ul class="events">${found.slice(0, 200).map((event) => html`<li key=${event.time + event.kind}><button class="link" onClick=${() => go(event.time)}>
            <span class="time">${clock(event.time)}</span> ${event.kind}, ${event.text}</button></li>`)}</ul>`
        : html`<p class="quiet">No runs, couplets, pauses, bigeminy or trigeminy.</p>`}</section>
    ${recording.flags.length > 0 && html`<section><h2>How it was read</h2>
      <ul class="flags">${recording.flags.map((/** @type {any} */ flag) => html`<li key=${flag.detail}>${flag.detail}</li>`)}</ul></section>`}
    ${summary.rate.hours.length > 1 && html`<details><summary>Hour by hour</summary><table><thead><tr><th scope="col">Hour</th><th scope="col">Rate</th><th scope="col">V</th><th scope="col">S</th><th scope="col">Unreadable</th></tr></thead>
      <tbody>${summary.rate.hours.map((/** @type {any} */ hour) => html`<tr key=${hour.hour}><td>${hour.hour}</td><td>${figure(hour.mean_bpm, '')}</td><td>${hour.V}</td><td>${hour.S}</td><td>${duration(hour.unreadable_s)}</td></tr>`)}</tbody></table></details>`}
    <details><summary>What these figures mean</summary>
      <dl class="definitions">${summary.definitions.map((/** @type {any} */ item) => html`<div key=${item.term}><dt>${item.term}</dt><dd>${item.definition}</dd></div>`)}</dl></details>
    <section><h2>Take it with you</h2>
      <p class="downloads"><a href=${`/v1/recordings/${document.id}/annotations`} download>Annotations (WFDB)</a>
        <a href=${`/v1/recordings/${document.id}`} download=${`${recording.name}.json`}>Result (JSON)</a></p>
      <p class="quiet small">${recording.format}, ${recording.sampling_rate_hz} Hz. Recipe ${model.recipe}, engine ${model.engine} on ${model.device}. Kept in memory and temporary files until the server stops.</p></section>
  </aside>`;
}

