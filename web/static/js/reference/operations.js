// What the reference shows of the document: operations by tag, what of them matches a search, and the request of a filled form.

/**
 * @typedef {{name: string, in: string, required?: boolean, description?: string, schema: any, example?: any}} Parameter
 * @typedef {{method: string, path: string, operationId: string, summary: string, description?: string, tags: string[], parameters: Parameter[], requestBody?: {required?: boolean, content: Record<string, any>}, responses: Record<string, any>, 'x-scope'?: string, 'x-scope-for'?: string, security: any[]}} Operation
 */

/** @param {any} document @returns {Operation[]} */
export function operations(document) {
  const all = [];
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(methods)) all.push({ ...operation, path, method: method.toUpperCase() });
  }
  return all;
}

/** Every word of a search must stand somewhere in it. @param {Operation} operation @param {string} search */
export function matches(operation, search) {
  const text = `${operation.method} ${operation.path} ${operation.operationId} ${operation.summary} ${operation['x-scope'] ?? ''}`.toLowerCase();
  return search.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

/** What it asks of who calls, in words. @param {Operation} operation */
export function asks(operation) {
  const scope = operation['x-scope'];
  if (!scope) return operation.security.length ? 'Any credential' : 'Open to anybody';
  const whom = { model: 'for the model', some: 'for some model', all: 'for all models' }[operation['x-scope-for'] ?? 'all'];
  return `${scope} ${whom}`;
}

/** The schema that a reference leads to. @param {any} document @param {any} schema */
export function resolve(document, schema) {
  const to = schema?.$ref;
  return to ? to.slice(2).split('/').reduce((/** @type {any} */ at, /** @type {string} */ name) => at?.[name], document) : schema;
}

/** A type in a few words. @param {any} schema @returns {string} */
export function typeName(schema) {
  if (!schema || Object.keys(schema).length === 0) return 'anything';
  if (schema.$ref) return schema.$ref.split('/').pop();
  const ways = schema.anyOf ?? schema.oneOf ?? schema.allOf;
  if (ways) return ways.map(typeName).join(' | ');
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((/** @type {any} */ word) => JSON.stringify(word)).join(' | ');
  const types = [schema.type ?? 'anything'].flat();
  const name = (/** @type {string} */ type) => (type === 'array' ? `${typeName(schema.items)}[]` : schema.format && type === 'string' ? schema.format : type);
  return types.map(name).join(' | ');
}

/**
 * The request that a filled form means.
 * @param {Operation} operation @param {Record<string, string>} values by `in name` @param {{kind: string, text: string, files: File[]}} body
 * @param {string} key @returns {{url: string, headers: Record<string, string>, body: BodyInit | undefined}}
 */
export function requestOf(operation, values, body, key) {
  const given = (/** @type {Parameter} */ parameter) => values[`${parameter.in} ${parameter.name}`] ?? '';
  const of = (/** @type {string} */ place) => operation.parameters.filter((parameter) => parameter.in === place && given(parameter) !== '');
  let path = operation.path;
  for (const parameter of of('path')) path = path.replace(`{${parameter.name}}`, encodeURIComponent(given(parameter)));
  const query = new URLSearchParams(of('query').map((parameter) => [parameter.name, given(parameter)]));
  /** @type {Record<string, string>} */
  const headers = {};
  for (const parameter of of('header')) headers[parameter.name] = given(parameter);
  if (key) headers['X-Api-Key'] = key;
  else headers['X-Einthoven-Page'] = '1';
  const url = query.size ? `${path}?${query}` : path;
  if (!operation.requestBody || operation.method === 'GET') return { url, headers, body: undefined };
  if (body.kind === 'multipart/form-data') {
    const form = new FormData();
    for (const file of body.files) form.append('file', file, file.name);
    return { url, headers, body: form };
  }
  if (body.kind === 'application/octet-stream') {
    headers['Content-Type'] = body.kind;
    return { url, headers, body: body.files[0] };
  }
  if (body.text) headers['Content-Type'] = body.kind;
  return { url, headers, body: body.text || undefined };
}

/** The same for a shell; the key is named, not shown. @param {string} origin @param {Operation} operation @param {ReturnType<typeof requestOf>} request @param {File[]} files */
export function curl(origin, operation, request, files) {
  const quoted = (/** @type {string} */ text) => `'${text.replaceAll("'", `'\\''`)}'`;
  const words = ['curl', operation.method === 'GET' ? '' : `--request ${operation.method}`, '--header "X-Api-Key: $EINTHOVEN_KEY"'];
  for (const [name, value] of Object.entries(request.headers)) {
    if (!['X-Api-Key', 'X-Einthoven-Page'].includes(name)) words.push(`--header ${quoted(`${name}: ${value}`)}`);
  }
  if (request.body instanceof FormData) for (const file of files) words.push(`--form ${quoted(`file=@${file.name}`)}`);
  else if (typeof request.body === 'string') words.push(`--data ${quoted(request.body)}`);
  else if (request.body) words.push(`--data-binary ${quoted(`@${files[0]?.name}`)}`);
  words.push(quoted(origin + request.url));
  return words.filter(Boolean).join(' ');
}
