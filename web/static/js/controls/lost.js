// A change that met no server. What was typed stays, and the server is looked for; the change itself is made by who asked for it, for
// one that comes minutes later and unseen may no longer be meant.

import { html, useState } from '../view.js';
import { session } from '../api.js';
import { Said } from './said.js';

/** @param {{problem: import('../api.js').ProblemDocument, verb: string}} properties `verb` is the button that does it */
export function Lost({ problem, verb }) {
  const [back, setBack] = useState(false);
  const look = () => session().then(() => setBack(true), () => {});
  if (back) return html`<p class="returned" role="status">The server answers again, and everything is as you typed it. Press \u201c${verb}\u201d once more.</p>`;
  return html`<${Said} problem=${problem} retry=${look} />`;
}
