// The verdict first, in one sentence with its interval; then the evidence.

import { html } from '../view.js';
import { State } from '../controls/state.js';
import { Table } from '../controls/table.js';
import { count, percent } from '../format.js';
import { Forest } from './forest.js';
import { Matrix } from './matrix.js';
import { STANDINGS, estimate, figureClass, figureName, minus, points, pointsInterval } from './words.js';

/** The interval that the standing hangs on. @param {Pick<import('./api.js').Verdict, 'primary' | 'settings'>} verdict @returns {{low: number, high: number} | null} */
export function deciding(verdict) {
  const { primary, settings } = verdict;
  if (!primary) return null;
  return settings.looks === 'once' ? primary.interval : { low: primary.sequence.low, high: primary.sequence.high };
}

/** The sentence without marks of code. @param {string} sentence */
const plain = (sentence) => minus(sentence).split('`').map((part, at) => (at % 2 ? html`<strong key=${at}>${part}</strong>` : part));

/** @param {{verdict: import('./api.js').Verdict}} properties */
export function Headline({ verdict }) {
  const [tone, word] = STANDINGS[verdict.standing] ?? ['plain', verdict.standing];
  const { numbers } = verdict;
  const more = verdict.primary?.power?.more;
  const facts = [
    ['Labelled recordings', `${numbers.labelled} of ${numbers.units}`],
    ['Design', verdict.design === 'paired' ? 'Both on the same recordings' : 'Each on its own recordings'],
    ['Decides', `${figureName(verdict.settings.primary)}, ${verdict.settings.looks === 'once' ? 'one look' : 'at every look'}`],
    ['Still needed', more ? (verdict.settings.looks === 'once' ? more.one_look : more.every_look ?? 'more than 5000') : '\u2013'],
  ];
  return html`<section class="verdict" aria-label="Verdict">
    <${State} tone=${tone}>${word}<//>
    <p class="sentence">${plain(verdict.sentence)}</p>
    <dl>${facts.map(([term, value]) => html`<div key=${term}><dt>${term}</dt><dd>${value}</dd></div>`)}</dl>
    ${verdict.notes.length > 0 && html`<ul class="notes">${verdict.notes.map((/** @type {string} */ note) => html`<li key=${note}>${plain(note)}</li>`)}</ul>`}
  </section>`;
}

/** @param {import('openapi').VersionAgreement} agreement */
const kappa = ({ kappa, kappa_interval: interval }) => minus(`${kappa?.toFixed(2) ?? '\u2013'}${interval ? `, ${interval.low.toFixed(2)} to ${interval.high.toFixed(2)}` : ''}`);

/** @param {{verdict: import('./api.js').Verdict}} properties */
export function Evidence({ verdict }) {
  const { labelled, primary, settings, agreement } = verdict;
  // Sensitivity and predictivity stand in the table: a plot of all figures would have no shape.
  const shown = (labelled?.figures ?? []).filter((/** @type {import('openapi').ComparedFigure} */ row) => row.difference !== null && /(_f1|accuracy)$/.test(row.figure));
  /** @type {import('./forest.js').Row[]} */
  const rows = shown.map((/** @type {import('openapi').ComparedFigure} */ row) => ({ name: figureName(row.figure), difference: row.difference, interval: row.interval }));
  if (primary) rows.unshift({ name: `${figureName(primary.figure)}, mean`, difference: primary.difference, interval: deciding(verdict), deciding: true });
  return html`${rows.length > 0 && html`<section class="block"><h2>Differences</h2><${Forest} rows=${rows} worth=${settings.worth} label="Differences of the figures" /></section>`}
    ${labelled && html`<section class="block"><h2>By class</h2><${Classes} verdict=${verdict} labelled=${labelled} /></section>
      <section class="block"><h2>By recording</h2><${ByRecording} verdict=${verdict} rows=${labelled.recordings} /></section>`}
    <section class="block"><h2>Agreement</h2>
      ${agreement.beats
        ? html`<p>Both say the same of <strong>${estimate(agreement.agreed, agreement.agreed_interval)}</strong> of ${count(agreement.beats)} beats; Cohen's kappa ${kappa(agreement)}.</p>`
        : html`<p class="quiet">No recording was seen by both yet.</p>`}
      ${agreement.beats > 0 && html`<${Matrix} table=${agreement.table} champion=${verdict.champion} challenger=${verdict.challenger} />`}</section>`;
}

/** @param {{verdict: import('./api.js').Verdict, labelled: import('openapi').LabelledComparison}} properties */
function Classes({ verdict, labelled }) {
  const right = labelled.mcnemar;
  const rows = labelled.figures.filter((/** @type {import('openapi').ComparedFigure} */ row) => row.champion !== null || row.challenger !== null);
  const columns = [
    { head: 'Figure', cell: (/** @type {import('openapi').ComparedFigure} */ row) => { const name = figureClass(row.figure); return html`${name && html`<span class=${`mark mark-${name}`} aria-hidden="true">${name}</span> `}${figureName(row.figure)}`; } },
    { head: `Champion ${verdict.champion}`, numeric: true, cell: (/** @type {import('openapi').ComparedFigure} */ row) => estimate(row.champion, row.champion_interval) },
    { head: `Challenger ${verdict.challenger}`, numeric: true, cell: (/** @type {import('openapi').ComparedFigure} */ row) => estimate(row.challenger, row.challenger_interval) },
    { head: 'Difference, points', numeric: true, cell: (/** @type {import('openapi').ComparedFigure} */ row) => html`<strong>${points(row.difference)}</strong> <span class="quiet">${pointsInterval(row.interval)}</span>` },
    { head: 'p, one look', numeric: true, cell: (/** @type {import('openapi').ComparedFigure} */ row) => (row.test ? (row.test.p < 0.001 ? '< 0.001' : row.test.p.toFixed(3)) : '\u2013') },
  ];
  return html`<${Table} caption="Figures by class, pooled over recordings" columns=${columns} rows=${rows} id=${(/** @type {import('openapi').ComparedFigure} */ row) => row.figure} />
    ${right && html`<p class="quiet small">Labelled beats: both right ${count(right.both)}, champion alone ${count(right.champion_only)}, challenger alone ${count(right.challenger_only)}, neither ${count(right.neither)}.
      Beats of one recording are not independent, so no p-value goes with these.</p>`}`;
}

const MOST = 50;

/** @param {{verdict: import('./api.js').Verdict, rows: import('openapi').ComparedRecording[]}} properties */
function ByRecording({ verdict, rows }) {
  const name = figureName(verdict.settings.primary);
  const columns = [
    { head: 'Recording', wide: true, cell: (/** @type {import('openapi').ComparedRecording} */ row) => html`<span class="mono">${row.id}</span>` },
    { head: 'Beats', numeric: true, cell: (/** @type {import('openapi').ComparedRecording} */ row) => count(row.beats) },
    { head: `Champion, ${name}`, numeric: true, cell: (/** @type {import('openapi').ComparedRecording} */ row) => percent(row.champion) },
    { head: `Challenger, ${name}`, numeric: true, cell: (/** @type {import('openapi').ComparedRecording} */ row) => percent(row.challenger) },
    { head: 'Difference, points', numeric: true, cell: (/** @type {import('openapi').ComparedRecording} */ row) => html`<strong>${points(row.champion === null || row.challenger === null ? null : row.challenger - row.champion)}</strong>` },
  ];
  return html`<${Table} caption="Recordings, where they differ most first" columns=${columns} rows=${rows.slice(0, MOST)} id=${(/** @type {import('openapi').ComparedRecording} */ row) => rows.indexOf(row)} />
    ${rows.length > MOST && html`<p class="quiet small">${MOST} of ${rows.length} recordings; the report has all.</p>`}`;
}
