// Long work: how far it is, and how to stop it.

import { html, useState } from '../view.js';
import { path, request } from '../api.js';
import { Dialog } from '../controls/dialog.js';
import { Empty, none, Shown, useLoaded } from '../controls/loaded.js';
import { State } from '../controls/state.js';
import { Table } from '../controls/table.js';
import { Time } from '../controls/time.js';
import { percent } from '../format.js';

/** @typedef {import('openapi').Job & {problem?: import('openapi').Problem | null}} Job */

const STATES = /** @type {Record<string, [import('../controls/state.js').Tone, string]>} */ ({ queued: ['plain', 'Waits'], running: ['busy', 'Runs'], done: ['good', 'Done'], failed: ['bad', 'Failed'], cancelled: ['past', 'Cancelled'] });

/** How much longer it takes if it goes on like this. @param {Job} job */
function left({ progress, started }) {
  if (!progress?.total || !started || progress.done < progress.total / 50) return null;
  const seconds = ((Date.now() - Date.parse(started)) / 1000) * (progress.total / progress.done - 1);
  return seconds < 90 ? `about ${Math.ceil(seconds)}\u2009s left` : `about ${Math.round(seconds / 60)}\u2009min left`;
}

export function Jobs() {
  const jobs = useLoaded((signal) => request('/v1/jobs', { signal }), [], 2_000);
  const [ending, setEnding] = useState(/** @type {Job | null} */ (null));
  const lasts = (/** @type {Job} */ job) => job.state === 'queued' || job.state === 'running';
  const columns = /** @type {import('../controls/table.js').Column<Job>[]} */ ([
    { head: 'Recording', wide: true, cell: (job) => html`${job.files.join(', ')}<br /><span class="quiet">by ${job.owner}, <${Time} at=${job.created} /></span>` },
    { head: 'State', wide: true, cell: (job) => html`<${State} tone=${STATES[job.state][0]}>${STATES[job.state][1]}<//>${job.problem?.detail && html`<br /><span class="quiet">${job.problem.detail}</span>`}` },
    { head: 'How far', wide: true, cell: (job) => (job.state === 'running' ? html`<progress max="1" value=${job.progress?.total ? job.progress.done / job.progress.total : undefined} aria-label=${`Progress of ${job.files.join(', ')}`}></progress>
      <br /><span class="quiet">${job.progress ? html`${job.progress.stage.replaceAll('_', ' ')}${job.progress.total ? `, ${percent(job.progress.done / job.progress.total)}` : ''}` : 'starts'}${left(job) ? `, ${left(job)}` : ''}</span>` : job.ended ? html`<span class="quiet">ended <${Time} at=${job.ended} /></span>` : '') },
    { head: 'Change', cell: (job) => html`<div class="actions">${job.state === 'done' && html`<a class="button" href=${`${path`/v1/jobs/${job.id}`}/result`} download=${`${job.files[0] ?? job.id}.json`}>Result<span class="visually-hidden"> of ${job.files.join(', ')}</span></a>`}
      <button class="danger" onClick=${() => setEnding(job)}>${lasts(job) ? 'Cancel' : 'Remove'}<span class="visually-hidden"> ${job.files.join(', ')}</span></button></div>` },
  ]);
  return html`<section class="block" aria-labelledby="jobs-title"><h2 id="jobs-title">Jobs</h2>
    <${Shown} of=${jobs} isEmpty=${none} empty=${html`<${Empty}>No long work. A recording that is sent with <span class="mono">Prefer: respond-async</span> becomes a job.<//>`}>
      ${(/** @type {import('openapi').JobList} */ list) => html`<${Table} caption="Jobs" columns=${columns} rows=${list.items} id=${(/** @type {Job} */ job) => job.id} />`}<//>
    ${ending && html`<${Dialog} title=${lasts(ending) ? 'Cancel the job' : 'Remove the job'} verb=${lasts(ending) ? 'Cancel the job' : 'Remove the job'} danger=${true} close=${() => setEnding(null)} act=${async () => { await request(path`/v1/jobs/${ending.id}`, { method: 'DELETE' }); await jobs.again(); }}>
      <p>${lasts(ending) ? html`The work on <strong>${ending.files.join(', ')}</strong> ends, and what was sent is removed. Send it again to undo this.` : html`The result of <strong>${ending.files.join(', ')}</strong> is removed. It can be had again by sending the recording.`}</p><//>`}</section>`;
}
