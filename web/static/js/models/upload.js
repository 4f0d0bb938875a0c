// A version brought in: its files, then what no file says. Whatever was drafted or typed stays until it is in.

import { html, useRef, useState } from '../view.js';
import { path, Refusal, request, send } from '../api.js';
import { Dialog } from '../controls/dialog.js';
import { Field, errorAt } from '../controls/field.js';
import { percent, size } from '../format.js';
import { go } from '../frame/route.js';

const RECIPES = [
  { value: '', text: 'As the files say' },
  { value: 'beat-rr-v1', text: 'beat-rr-v1: the beat and the intervals around it' },
  { value: 'kaggle-heartbeat-v1', text: 'kaggle-heartbeat-v1: one row of 187 samples a beat' },
  { value: 'none', text: 'None: it takes tensors alone' },
];

/** What of a draft is worth showing. @param {any} draft @returns {[string, string][]} */
function known(draft) {
  const tensors = (/** @type {any[]} */ list) => list.map((one) => `${one.name} ${one.dtype} ${(one.dims ?? []).map((/** @type {any} */ dim) => dim ?? 'any').join(' \u00d7 ')}`).join('; ');
  return /** @type {[string, string][]} */ ([['Inputs', draft?.inputs && tensors(draft.inputs)], ['Outputs', draft?.outputs && tensors(draft.outputs)], ['Labels', draft?.labels?.join?.(', ')], ['Recipe', draft?.recipe]].filter(([, value]) => value));
}

/** @param {{into?: string, close: () => void, done?: () => Promise<void>}} properties */
export function Upload({ into, close, done }) {
  const [name, setName] = useState(into ?? '');
  const [files, setFiles] = useState(/** @type {File[]} */ ([]));
  const [values, setValues] = useState({ recipe: '', labels: '', version: '', reason: '' });
  const [share, setShare] = useState(/** @type {number | null} */ (null));
  const [over, setOver] = useState(false);
  const [refused, setRefused] = useState(/** @type {import('../api.js').ProblemDocument | null} */ (null));
  /** What came already: it need not be sent again. */
  const [here, setHere] = useState(/** @type {{draft: any, files: {name: string, sha256: string, size_bytes: number}[]} | null} */ (null));
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  const stop = useRef(new AbortController());
  const set = (/** @type {keyof typeof values} */ field) => (/** @type {string} */ value) => setValues((/** @type {typeof values} */ was) => ({ ...was, [field]: value }));
  const taken = (/** @type {File[]} */ given) => {
    if (!given.length) return;
    setFiles(given);
    setHere(null);
    setRefused(null);
  };
  const labels = values.labels.split(/[\s,]+/).filter(Boolean);
  const act = async () => {
    const target = path`/v1/models/${name.trim()}/versions`;
    stop.current = new AbortController();
    try {
      /** @type {import('openapi').VersionDetail} */
      const version = here ? await request(target, { method: 'POST', json: {
        files: here.files.map((file) => ({ name: file.name, sha256: file.sha256 })),
        manifest: { ...(values.recipe && { recipe: values.recipe === 'none' ? null : values.recipe }), ...(labels.length && { labels }) },
        version: values.version.trim() || undefined, reason: values.reason.trim() || undefined,
      } }) : await send(target, form(), setShare, stop.current.signal);
      await done?.();
      go('models', version.model);
    } catch (cause) {
      if (cause instanceof Refusal && cause.problem.files?.length) setHere({ draft: cause.problem.draft, files: cause.problem.files });
      throw cause;
    } finally {
      setShare(null);
    }
  };
  const form = () => {
    const form = new FormData();
    const fields = { recipe: values.recipe, labels: labels.join(','), version: values.version.trim(), reason: values.reason.trim() };
    for (const [field, value] of Object.entries(fields)) if (value) form.append(field, value);
    for (const file of files) form.append('file', file, file.name);
    return form;
  };
  const leave = () => {
    stop.current.abort(new DOMException('', 'AbortError'));
    close();
  };
  const asks = refused?.type === '/problems/incomplete_manifest';
  return html`<${Dialog} title=${into ? `Upload a version of ${into}` : 'Upload a model'} verb=${here ? 'Bring it in' : 'Upload'} wide=${true} close=${leave} act=${act} ready=${name.trim() !== '' && files.length > 0} refused=${setRefused}>
    <div class="fields">
      ${!into && html`<${Field} label="Model" value=${name} set=${setName} required=${true} hint="The name that clients will use. A new one is made." error=${errorAt(refused, 'model')} />`}
      <div class=${over ? 'take over' : 'take'} onDragOver=${(/** @type {DragEvent} */ event) => { event.preventDefault(); setOver(true); }} onDragLeave=${() => setOver(false)}
        onDrop=${(/** @type {DragEvent} */ event) => { event.preventDefault(); event.stopPropagation(); setOver(false); taken([...(event.dataTransfer?.files ?? [])]); }}>
        ${files.length === 0
          ? html`<p><strong>Drop the network here, or a package of it</strong></p><p class="quiet small">ONNX, TensorFlow Lite, safetensors with its config, NNEF, or a zip or tar. Never a pickle.</p>`
          : html`<ul class="plain">${files.map((file) => html`<li key=${file.name}><span class="mono">${file.name}</span> <span class="number quiet">${size(file.size)}</span></li>`)}</ul>`}
        <p><button type="button" onClick=${() => input.current?.click()}>${files.length ? 'Choose other files' : 'Choose files'}</button></p>
        <input ref=${input} type="file" multiple hidden aria-label="Files of the version" onChange=${(/** @type {import('../view.js').FieldEvent} */ event) => { taken([...(event.target.files ?? [])]); event.target.value = ''; }} />
      </div>
      ${share !== null && html`<div role="status"><progress max="1" value=${share < 1 ? share : undefined} aria-label="Upload"></progress><p class="quiet small">${share < 1 ? `${percent(share)} sent` : 'All of it is here. The network is being opened.'}</p></div>`}
      ${here && html`<div class="card"><h3>What the files say</h3><p class="small quiet">They are here and need not be sent again.</p><dl class="terms">${known(here.draft).map(([term, value]) => html`<div key=${term}><dt>${term}</dt><dd>${value}</dd></div>`)}</dl></div>`}
      <${Field} label="Recipe" value=${values.recipe} set=${set('recipe')} required=${asks && Boolean(errorAt(refused, 'recipe'))} choices=${RECIPES} hint="How a recording becomes the input." error=${errorAt(refused, 'recipe')} />
      <${Field} label="Labels" value=${values.labels} set=${set('labels')} required=${asks && Boolean(errorAt(refused, 'labels'))} placeholder="N, S, V, F" mono=${true} hint="The class of each output column, in order." error=${errorAt(refused, 'labels')} />
      <div class="fields pairs"><${Field} label="Version" value=${values.version} set=${set('version')} hint="The next number unless named." error=${errorAt(refused, 'version')} />
        <${Field} label="Reason" value=${values.reason} set=${set('reason')} hint="Stands in the log." error=${errorAt(refused, 'reason')} /></div>
    </div>
  <//>`;
}
