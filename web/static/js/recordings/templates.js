// Beats grouped by their shape; a whole group can be relabelled at once.

import { html, useEffect, useRef, useState } from '../view.js';
import { CLASS_NAMES, clock, percent } from '../format.js';
import { Refusal } from '../api.js';
import * as api from './api.js';
import { AFTER_S, ALIKE, BEFORE_S, SHAPE_HZ, clusters, counted, shape, spread } from './clusters.js';

/** Beats that are compared; a day holds a hundred thousand. */
const MOST = 2000;
/** Seconds of signal asked for at once. */
const PIECE_S = 60;
const CLASSES = ['N', 'S', 'V', 'F', 'Q'];

/**
 * Fetches the signal around beats, piece by piece, and cuts out their shapes.
 * @param {api.RecordingDocument} document @param {api.Beat[]} beats @param {(share: number) => void} progress @param {AbortSignal} stop
 */
async function shapes(document, beats, progress, stop) {
  const found = [];
  const { sampling_rate_hz: rate, duration_s: length } = document.recording;
  for (let at = 0; at < beats.length; ) {
    const from = Math.max(0, beats[at].time_s - 2 * BEFORE_S);
    let end = at;
    while (end < beats.length && beats[end].time_s < from + PIECE_S) end += 1;
    const to = Math.min(length, beats[end - 1].time_s + 2 * AFTER_S);
    // As fine as shapes are compared, or as fine as the recording is.
    const points = Math.ceil(((to - from) * rate) / Math.max(1, Math.floor(rate / SHAPE_HZ)));
    const signal = await api.signal(document.id, document.lead, from, to, points, stop);
    for (const beat of beats.slice(at, end)) {
      const cut = shape(signal, beat.time_s);
      if (cut) found.push({ sample: beat.sample, time: beat.time_s, name: String(beat.class), shape: cut });
    }
    at = end;
    progress(at / beats.length);
  }
  return found;
}

/**
 * @param {{document: api.RecordingDocument, beats: api.Beat[], go: (time: number) => void, relabel: ((samples: number[], name: string) => void) | null}} properties
 */
export function Templates({ document, beats, go, relabel }) {
  const [found, setFound] = useState(/** @type {import('./clusters.js').Cluster[] | null} */ (null));
  const [share, setShare] = useState(0);
  const [trouble, setTrouble] = useState(/** @type {string | null} */ (null));
  const [open, setOpen] = useState(/** @type {string | null} */ (null));
  const [attempt, again] = useState(0);
  const chosen = useRef(/** @type {api.Beat[]} */ ([]));
  useEffect(() => {
    const stop = new AbortController();
    chosen.current = spread(document.beats, MOST);
    setTrouble(null);
    shapes(document, chosen.current, setShare, stop.signal).then((list) => setFound(clusters(list)), (cause) => {
      if (!stop.signal.aborted) setTrouble(cause instanceof Refusal ? cause.problem.detail : String(cause));
    });
    return () => stop.abort();
  }, [document, attempt]);
  if (trouble) return html`<div role="alert"><p class="trouble">${trouble}</p><button onClick=${() => again((/** @type {number} */ n) => n + 1)}>Try again</button></div>`;
  if (!found) {
    return html`<div class="templates" role="status" aria-label="Beats are being grouped"><p class="quiet">Comparing shapes, ${percent(share)} done</p>
      ${[1, 2, 3, 4].map((one) => html`<div key=${one} class="template skeleton" aria-hidden="true"></div>`)}</div>`;
  }
  if (!found.length) return html`<p class="quiet">No readable beats to compare.</p>`;
  // Labels given since count: the class of a beat is the one that holds now.
  const now = new Map(beats.map((beat) => [beat.sample, beat.class]));
  const compared = found.reduce((sum, one) => sum + one.members.length, 0);
  const high = Math.max(0.5, ...found.map((one) => Math.max(...one.shape) - Math.min(...one.shape)));
  const which = compared === document.beats.length ? `All ${compared} beats` : `${compared} of ${document.beats.length} beats`;
  return html`<p class="quiet small">${which}, grouped where their shapes correlate by ${ALIKE} or more.${document.beats.length > MOST ? ' Normal beats are a sample.' : ''}</p>
    <ul class="templates" aria-label="Templates">${found.map((one) => html`<${Template} key=${one.id} cluster=${one} now=${now} high=${high} open=${open === one.id}
      toggle=${() => setOpen(open === one.id ? null : one.id)} go=${go} relabel=${relabel} />`)}</ul>`;
}

/** @param {{cluster: import('./clusters.js').Cluster, now: Map<number, string | null>, high: number, open: boolean, toggle: () => void, go: (time: number) => void, relabel: ((samples: number[], name: string) => void) | null}} properties */
function Template({ cluster, now, high, open, toggle, go, relabel }) {
  const counts = [...counted(cluster.members.map((beat) => now.get(beat.sample) ?? beat.name))];
  const [name] = counts[0];
  const title = `Template ${cluster.id.slice(1)}: ${cluster.members.length} ${cluster.members.length === 1 ? 'beat' : 'beats'}, ${counts.map(([one, count]) => `${count} ${one}`).join(', ')}`;
  return html`<li class=${open ? 'template open' : 'template'}>
    <button class="face" aria-expanded=${open} aria-label=${title} onClick=${toggle}>
      <${Drawing} cluster=${cluster} high=${high} name=${name} />
      <span class="below"><span class=${`mark mark-${name}`} aria-hidden="true">${name}</span><span><strong>${cluster.members.length}</strong>${' '}
        <span class="quiet">${counts.slice(1).map(([one, count]) => `${one} ${count}`).join(', ')}</span></span></span>
    </button>
    ${open && html`<div class="inside">
      <p class="actions">${cluster.members.slice(0, 6).map((beat) => html`<button key=${beat.sample} class="link" onClick=${() => go(beat.time)}>${clock(beat.time, 1)}</button>`)}
        ${cluster.members.length > 6 && html`<span class="quiet">and ${cluster.members.length - 6} more</span>`}</p>
      ${relabel && html`<p class="actions" role="group" aria-label=${`Relabel all ${cluster.members.length}`}><span class="quiet">Relabel all as</span>
        ${CLASSES.filter((one) => counts.length > 1 || one !== name).map((one) => html`<button key=${one} class="class" aria-label=${`Relabel all ${cluster.members.length} as ${one}, ${CLASS_NAMES[one]}`}
          onClick=${() => relabel(cluster.members.map((beat) => beat.sample), one)}>${one}</button>`)}</p>`}
    </div>`}
  </li>`;
}

/** The mean over a few members, all on one scale. @param {{cluster: import('./clusters.js').Cluster, high: number, name: string}} properties */
function Drawing({ cluster, high, name }) {
  const top = Math.max(...cluster.shape);
  const line = (/** @type {number[]} */ values) => values.map((value, at) => `${at ? 'L' : 'M'}${((at / (values.length - 1)) * 118 + 1).toFixed(1)} ${(6 + ((top - value) / high) * 60).toFixed(1)}`).join('');
  const some = cluster.members.filter((_, at) => at % Math.ceil(cluster.members.length / 12) === 0);
  return html`<svg viewBox="0 0 120 72" aria-hidden="true" class=${`shape shape-${name}`}>
    ${some.map((beat) => html`<path key=${beat.sample} class="member" d=${line(beat.shape)} />`)}<path class="mean" d=${line(cluster.shape)} /></svg>`;
}
