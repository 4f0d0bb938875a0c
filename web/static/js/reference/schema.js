// A schema as a tree of fields; what is named is opened when it is wanted, for schemas may hold themselves.

import { html, useState } from '../view.js';
import { resolve, typeName } from './operations.js';

/** Schemas that are worth opening behind this one. @param {any} schema @returns {any[]} */
function inner(schema) {
  if (!schema) return [];
  if (schema.$ref) return [schema];
  const ways = schema.anyOf ?? schema.oneOf ?? schema.allOf ?? [];
  const more = [schema.items, typeof schema.additionalProperties === 'object' ? schema.additionalProperties : null].filter(Boolean);
  return schema.properties ? [schema] : [...ways, ...more].flatMap(inner);
}

/** @param {{document: any, schema: any}} properties */
function Opened({ document, schema }) {
  const [open, setOpen] = useState(false);
  return html`<details onToggle=${(/** @type {Event & {currentTarget: HTMLDetailsElement}} */ event) => setOpen(event.currentTarget.open)}>
    <summary>${typeName(schema)}</summary>
    ${open ? html`<${Fields} document=${document} schema=${resolve(document, schema)} />` : null}
  </details>`;
}

/** @param {{document: any, schema: any}} properties @returns {any} */
export function Fields({ document, schema }) {
  if (!schema) return null;
  const description = schema.description ? html`<p class="quiet small">${schema.description}</p>` : null;
  if (!schema.properties) {
    const parts = inner(schema).filter((part) => part !== schema);
    return html`${description}<p class="small mono">${typeName(schema)}</p>
      ${parts.map((part, number) => html`<${Opened} key=${number} document=${document} schema=${part} />`)}`;
  }
  const required = new Set(schema.required ?? []);
  return html`${description}<ul class="fields">
    ${Object.entries(schema.properties).map(([name, field]) => html`<li key=${name}>
      <code>${name}</code>${required.has(name) ? '' : '?'} <span class="quiet">${typeName(field)}</span>
      ${field.description ? html` — ${field.description}` : null}
      ${inner(field).map((part, number) => html`<${Opened} key=${number} document=${document} schema=${part} />`)}
    </li>`)}
  </ul>`;
}
