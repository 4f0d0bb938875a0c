// The reference of the HTTP interface, drawn from the document that this server gives.

import { html, render, useEffect, useState } from '../view.js';
import { asks, matches, operations } from './operations.js';
import { Fields } from './schema.js';
import { Try } from './try.js';

/** @param {{document: any, status: string, answer: any}} properties */
function Answer({ document, status, answer }) {
  const content = Object.entries(answer.content ?? {});
  const refusal = Boolean(answer['x-problems']);
  return html`<li><code>${status}</code> ${answer.description}
    ${refusal ? null : content.map(([kind, { schema }]) => html`<div key=${kind}><span class="quiet">${kind}</span><${Fields} document=${document} schema=${schema} /></div>`)}</li>`;
}

/** @param {{document: any, operation: import('./operations.js').Operation}} properties */
function Words({ document, operation }) {
  const bodies = Object.entries(operation.requestBody?.content ?? {});
  const answers = Object.entries(operation.responses);
  return html`
    ${operation.description ? html`<p>${operation.description}</p>` : null}
    <p class="quiet small">Asks for: ${asks(operation)}. Id: <code>${operation.operationId}</code></p>
    ${operation.parameters.length ? html`<h4>Parameters</h4><ul class="fields">${operation.parameters.map((parameter) => html`<li key=${parameter.in + parameter.name}>
      <code>${parameter.name}</code>${parameter.required ? '' : '?'} <span class="quiet">${parameter.in}</span> — ${parameter.description}</li>`)}</ul>` : null}
    ${bodies.map(([kind, { schema }]) => html`<div key=${kind}><h4>Body <span class="quiet">${kind}</span></h4><${Fields} document=${document} schema=${schema} /></div>`)}
    <h4>Answers</h4>
    <ul class="fields">${answers.map(([status, answer]) => html`<${Answer} key=${status} document=${document} status=${status} answer=${answer} />`)}</ul>`;
}

/** @param {{document: any, operation: import('./operations.js').Operation, apiKey: string, named: string}} properties */
function Item({ document, operation, apiKey, named }) {
  const [open, setOpen] = useState(named === operation.operationId);
  useEffect(() => {
    if (named === operation.operationId) setOpen(true);
  }, [named]);
  return html`<details class="operation" id=${operation.operationId} open=${open} onToggle=${(/** @type {Event & {currentTarget: HTMLDetailsElement}} */ event) => setOpen(event.currentTarget.open)}>
    <summary><span class=${`method ${operation.method.toLowerCase()}`}>${operation.method}</span> <span class="path">${operation.path}</span> <span class="quiet">${operation.summary}</span></summary>
    ${open ? html`<div><${Words} document=${document} operation=${operation} /><${Try} operation=${operation} apiKey=${apiKey} /></div>` : null}
  </details>`;
}

/** @param {{document: any}} properties */
function Reference({ document }) {
  const [search, setSearch] = useState('');
  const [apiKey, setApiKey] = useState('');
  const [named, setNamed] = useState(location.hash.slice(1));
  useEffect(() => {
    const moved = () => setNamed(location.hash.slice(1));
    addEventListener('hashchange', moved);
    return () => removeEventListener('hashchange', moved);
  }, []);
  const found = operations(document).filter((operation) => matches(operation, search));
  const groups = document.tags
    .map((/** @type {any} */ tag) => ({ ...tag, operations: found.filter((operation) => operation.tags[0] === tag.name) }))
    .filter((/** @type {any} */ tag) => tag.operations.length > 0);
  return html`<header class="top"><a class="brand" href="/">Einthoven</a> <span class="where">Reference ${document.info.version}</span>
      <a href="/openapi.json">openapi.json</a> <a href="/openapi-3.0.json">openapi-3.0.json</a> <span class="research">Research use only. Not for diagnosis.</span></header>
    <main class="reference">
      <nav aria-label="Operations"><input type="search" aria-label="Search operations" placeholder="Search" value=${search} onInput=${(/** @type {import('../view.js').FieldEvent} */ event) => setSearch(event.currentTarget.value)} />
        ${groups.map((/** @type {any} */ tag) => html`<div key=${tag.name}><h2>${tag.name}</h2><ul>
          ${tag.operations.map((/** @type {any} */ operation) => html`<li key=${operation.operationId}><a href=${`#${operation.operationId}`} aria-current=${named === operation.operationId ? 'true' : null}>${operation.operationId}</a></li>`)}
        </ul></div>`)}</nav>
      <div><h1>Reference</h1>
        ${document.info.description.split('\n\n').map((/** @type {string} */ part) => html`<p>${part}</p>`)}
        <p><label>API key for what you send from here <input type="password" autocomplete="off" value=${apiKey} onInput=${(/** @type {import('../view.js').FieldEvent} */ event) => setApiKey(event.currentTarget.value)} /></label>
          <span class="quiet small"> Kept nowhere. Without one, the session of the page is used.</span></p>
        ${groups.map((/** @type {any} */ tag) => html`<section key=${tag.name}><h2>${tag.name}</h2><p class="quiet">${tag.description}</p>
          ${tag.operations.map((/** @type {any} */ operation) => html`<${Item} key=${operation.operationId} document=${document} operation=${operation} apiKey=${apiKey} named=${named} />`)}</section>`)}
        ${found.length === 0 ? html`<p class="quiet">Nothing matches.</p>` : null}
      </div>
    </main>`;
}

const response = await fetch('/openapi.json');
const place = /** @type {HTMLElement} */ (document.getElementById('app'));
render(html`<${Reference} document=${await response.json()} />`, place);
document.getElementById(location.hash.slice(1))?.scrollIntoView();
