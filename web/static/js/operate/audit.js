// Every change, by whom and why, and where the chain of them ends.

import { html, useEffect, useState } from '../view.js';
import { Refusal, request } from '../api.js';
import { Copy, Digest } from '../controls/digest.js';
import { Field } from '../controls/field.js';
import { Empty, none, Shown, useLoaded } from '../controls/loaded.js';
import { Said } from '../controls/said.js';
import { State } from '../controls/state.js';
import { Table } from '../controls/table.js';
import { Time } from '../controls/time.js';
import { href } from '../frame/route.js';
import { inWords } from '../models/api.js';
import { words } from '../format.js';

/** @typedef {Omit<import('openapi').AuditEntry, 'event'> & {event: any}} Entry */

const PAGE = 50;

/** What happened, in a few words. @param {any} event */
export function said(event) {
  const what = event.model ? `${event.model}${event.version ? ` ${event.version}` : ''}` : event.source ?? event.user ?? event.issuer ?? event.name ?? event.key?.name ?? event.subject ?? event.token ?? '';
  if (event.kind === 'traffic_changed') return [`traffic ${words(event.action)}`, `${what}: ${inWords(event.from)} \u2192 ${inWords(event.to)}`];
  if (event.kind === 'alias_moved') return ['alias moved', `${what}@${event.alias}: ${event.from ?? 'nothing'} \u2192 ${event.to ?? 'nothing'}`];
  if (event.what === 'owner_key_set') return ['owner key set', event.replaced ? 'in place of the one before' : ''];
  if (event.what === 'signing_key_published') return ['signing key published', event.server];
  if (event.what === 'roles_set') return ['roles set', `${what}: ${event.from.join(', ')} \u2192 ${event.to.join(', ')}`];
  if (event.kind === 'version_rejected') return ['version rejected', `${what}: ${event.rejection?.reason ?? ''}`];
  // What concerns who may do what says so in a field of its own.
  return [words(event.what ?? event.kind), what];
}

/** The log read again from its first entry, by a click; with a line that was kept, whether it goes on from there. */
function Verify() {
  const [kept, setKept] = useState('');
  const [busy, setBusy] = useState(false);
  const [found, setFound] = useState(/** @type {import('openapi').LogVerification | null} */ (null));
  const [problem, setProblem] = useState(/** @type {import('../api.js').ProblemDocument | null} */ (null));
  const [unread, setUnread] = useState(/** @type {string | null} */ (null));
  const verify = async () => {
    setFound(null);
    setProblem(null);
    setUnread(null);
    let query = '';
    if (kept.trim()) {
      const [, seq] = /"seq":\s*(\d+)/.exec(kept) ?? [];
      const [, hash] = /"hash":\s*"([^"]+)"/.exec(kept) ?? [];
      if (!seq || !hash) return setUnread('That is no line that was copied here: it must hold "seq" and "hash".');
      query = `?${new URLSearchParams({ seq, hash })}`;
    }
    setBusy(true);
    try {
      setFound(await request(`/v1/audit/verification${query}`));
    } catch (cause) {
      if (!(cause instanceof Refusal)) throw cause;
      setProblem(cause.problem);
    } finally {
      setBusy(false);
    }
    return undefined;
  };
  return html`<div class="verify">
    <${Field} label="Where it ended once, as kept" value=${kept} set=${setKept} mono=${true} placeholder='{"seq":12,"hash":"\u2026"}' error=${unread} />
    <button onClick=${verify} disabled=${busy} aria-busy=${busy ? 'true' : undefined}>Verify the log</button>
    <div role="status" class="outcome">${busy && html`<span class="quiet">Reading every entry\u2026</span>`}
      ${found && html`<p><${State} tone=${found.whole && found.continues !== false ? 'good' : 'bad'}>${found.whole ? 'Whole' : 'Not what was written'}<//> ${' '}
        ${found.whole ? `${found.head.seq} entries, none changed, removed or reordered.` : `${found.finding}.`}
        ${found.continues === true && html` <span>It goes on from the line that was kept.</span>`}
        ${found.whole && found.continues === false && html` <strong>It does not go on from the line that was kept:</strong> ${found.finding}.`}</p>`}
      ${problem && html`<${Said} problem=${problem} retry=${verify} />`}</div></div>`;
}

export function Audit() {
  const [model, setModel] = useState('');
  const [who, setWho] = useState('');
  const [asked, setAsked] = useState({ model: '', who: '' });
  // Not with every letter.
  useEffect(() => {
    const timer = setTimeout(() => setAsked({ model: model.trim(), who: who.trim() }), 250);
    return () => clearTimeout(timer);
  }, [model, who]);
  const query = (/** @type {string | undefined} */ cursor) => new URLSearchParams(Object.entries({ ...asked, limit: String(PAGE), cursor: cursor ?? '' }).filter(([, value]) => value));
  const first = useLoaded((signal) => request(`/v1/audit?${query(undefined)}`, { signal }), [asked]);
  const head = useLoaded((signal) => request('/v1/audit/heads', { signal }), []);
  const names = useLoaded((signal) => request('/v1/models', { signal }), []);
  const [more, setMore] = useState(/** @type {{items: Entry[], next: string | null} | null} */ (null));
  const [problem, setProblem] = useState(/** @type {import('../api.js').ProblemDocument | null} */ (null));
  useEffect(() => setMore(null), [asked, first.at]);
  const older = async (/** @type {string} */ cursor) => {
    try {
      /** @type {import('openapi').AuditEntryList} */
      const page = await request(`/v1/audit?${query(cursor)}`);
      setProblem(null);
      setMore({ items: [...(more?.items ?? []), ...page.items], next: page.next });
    } catch (cause) {
      if (!(cause instanceof Refusal)) throw cause;
      setProblem(cause.problem);
    }
  };
  const columns = /** @type {import('../controls/table.js').Column<Entry>[]} */ ([
    { head: 'Entry', cell: (entry) => html`<span class="number">${entry.seq}</span>` },
    { head: 'When', cell: (entry) => html`<${Time} at=${entry.at} exact=${true} />` },
    { head: 'Who', wide: true, cell: (entry) => html`<button class="link" title="Only theirs" onClick=${() => setWho(entry.who)}>${entry.who}</button>` },
    { head: 'What', wide: true, cell: (entry) => { const [kind, what] = said(entry.event); return html`<strong>${kind}</strong><br />${entry.event.model ? html`<a class="plain-link" href=${href('models', entry.event.model)}>${what}</a>` : what}`; } },
    { head: 'Why', wide: true, cell: (entry) => entry.why ?? '' },
    { head: 'Hash', cell: (entry) => html`<${Digest} of=${entry.hash} />` },
  ]);
  return html`<section class="block" aria-labelledby="log-title"><h2 id="log-title">Every change</h2>
    <${Shown} of=${head} rows=${1}>${(/** @type {{seq: number, hash: string}} */ { seq, hash }) => html`<div class="card anchor">
      <p>The log ends at entry <strong class="number">${seq}</strong>, <${Digest} of=${hash} />. Each entry holds the hash of the one before: whoever keeps this line elsewhere can show later that nothing was changed, removed or cut off.</p>
      <div class="actions"><${Copy} text=${JSON.stringify({ seq, hash })} label="Copy where it ends" class="" /><code class="mono quiet">einthoven audit verify --data DATA --heads FILE</code></div>
      <${Verify} /></div>`}<//>
    <div class="fields pairs filters" role="search" aria-label="Filter the log">
      <${Field} label="Model" bare=${true} value=${model} set=${setModel} offers=${names.value?.items.map((one) => one.name) ?? []} />
      <${Field} label="Who" bare=${true} value=${who} set=${setWho} />
    </div>
    <${Shown} of=${first} rows=${8} isEmpty=${none} empty=${html`<${Empty} action=${html`<button onClick=${() => { setModel(''); setWho(''); }}>Show every change</button>`}>No change is of that model and that person.<//>`}>
      ${(/** @type {{items: Entry[], next: string | null}} */ list) => {
        const next = more ? more.next : list.next;
        return html`<${Table} caption="Changes, newest first" columns=${columns} rows=${[...list.items, ...(more?.items ?? [])]} id=${(/** @type {Entry} */ entry) => entry.seq} />
          ${problem && html`<${Said} problem=${problem} retry=${next ? () => older(next) : undefined} />`}
          ${next && html`<p><button onClick=${() => older(next)}>Show older changes</button></p>`}`;
      }}<//></section>`;
}
