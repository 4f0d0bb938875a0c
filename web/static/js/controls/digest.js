// An id or digest, shortened in the middle and copied whole by a click.

import { html, useState } from '../view.js';
import { shortDigest } from '../format.js';

/** Copies a text; says whether that went well. @param {string} text */
async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // A page that was not reached by TLS or on this machine has no clipboard of this kind.
    const area = document.createElement('textarea');
    area.value = text;
    area.className = 'visually-hidden';
    (document.querySelector('dialog[open]') ?? document.body).append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    return done;
  }
}

/** @param {{text: string, label?: string, children?: any, class?: string}} properties */
export function Copy({ text, label = 'Copy', children, class: kind = 'copy' }) {
  const [said, setSaid] = useState('');
  const copy = async () => {
    setSaid(await copied(text) ? 'Copied' : 'Cannot copy');
    setTimeout(() => setSaid(''), 2000);
  };
  return html`<button type="button" class=${kind} title=${`${label}: ${text}`} onClick=${copy}>${children ?? label}<span class="said" role="status">${said}</span></button>`;
}

/** @param {{of: string | null | undefined}} properties */
export const Digest = ({ of }) => of
  ? html`<${Copy} text=${of} label="Copy the digest" class="copy mono">${shortDigest(of)}<//>`
  : html`<span class="quiet">\u2013</span>`;
