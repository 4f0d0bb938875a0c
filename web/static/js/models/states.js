// How far a version has come, as a word with its sign.

import { html } from '../view.js';
import { State } from '../controls/state.js';
import { share } from './api.js';

const WORDS = /** @type {Record<string, [import('../controls/state.js').Tone, string]>} */ ({
  fetching: ['busy', 'Being fetched'],
  verifying: ['busy', 'Being tried'],
  ready: ['good', 'Ready'],
  rejected: ['bad', 'Rejected'],
  retired: ['past', 'Retired'],
});

/** @param {{phase: import('./api.js').Phase}} properties */
export const PhaseState = ({ phase }) => {
  const [tone, word] = WORDS[phase.state] ?? ['plain', phase.state];
  return html`<${State} tone=${tone}>${word}<//>`;
};

/** What a version does for those who call, if anything. @param {{traffic: import('./api.js').Traffic, version: string}} properties */
export function Standing({ traffic, version }) {
  const answers = share(traffic, version);
  const beside = traffic.shadows?.find((one) => one.version === version);
  if (traffic.champion === version) return html`<span class="standing champion"><${State} tone="live">${answers === 100 ? 'Answers everybody' : html`Champion, answers ${answers}\u2009%`}<//><span class="share" aria-hidden="true"><span style=${{ width: `${answers}%` }}></span></span></span>`;
  if (answers > 0) return html`<span class="standing challenger"><${State} tone="busy">Challenger, answers ${answers}\u2009%<//><span class="share" aria-hidden="true"><span style=${{ width: `${answers}%` }}></span></span></span>`;
  if (beside) return html`<span class="standing challenger"><${State} tone="busy">Computes beside it for ${beside.percent}\u2009%<//></span>`;
  return null;
}
