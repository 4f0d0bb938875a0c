// A client for an Einthoven server. Every operation is at `api`, typed from the server's own document; what takes several calls, or
// files, has a word of its own here.

import createClient, { type Client } from 'openapi-fetch';
import { retrying } from './retrying.js';
import { eventsOf, type JobEvent } from './events.js';
import type { components, paths } from './schema.js';

export type { JobEvent } from './events.js';
export type { components, paths } from './schema.js';
export type Classification = components['schemas']['Classification'];
export type Rows = components['schemas']['RowsClassification'];
export type Job = components['schemas']['Job'];
export type Problem = components['schemas']['Problem'];

/** Files of one recording. */
export type Files = File[];

/** What the files do not say, and what is wanted. */
export interface Stated {
  /** Samples per second. */
  rate?: number;
  unit?: 'mV' | 'uV' | 'V';
  lead?: string;
  record?: string;
  /** `NAME`, `NAME/VERSION` or `NAME@ALIAS`. */
  model?: string;
  /** Whom the recording is of: the same subject gets the same version while an experiment goes on. */
  subject?: string;
}

export interface Options {
  /** Where the server is, such as `http://127.0.0.1:5000`. */
  url: string;
  /** An API key or a token, or what gives the newest one; `EINTHOVEN_KEY` of the environment unless given. */
  key?: string | (() => string | Promise<string>);
  /** How often a call is sent again that the server asked to send later. */
  retries?: number;
  fetch?: (request: Request) => Promise<Response>;
}

/** What the server refused, and why. */
export class EinthovenError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail);
    this.name = 'EinthovenError';
  }

  /** Its stable word, such as `missing_field`. */
  get code(): string {
    return this.problem.type.split('/').pop() ?? '';
  }
}

/** The data of an answer; throws what the server refused. */
export function answered<T>(answer: { data?: T; error?: unknown; response: Response }): T {
  if (answer.response.ok) return answer.data as T;
  throw refusal(answer.error, answer.response);
}

function refusal(body: unknown, response: Response): EinthovenError {
  if (typeof body === 'object' && body !== null && 'detail' in body) return new EinthovenError(body as Problem);
  const detail = `the server answered ${response.status} without saying why`;
  return new EinthovenError({ type: '/problems/unknown', title: response.statusText, status: response.status, detail });
}

function fromEnvironment(): string {
  const environment = (globalThis as { process?: { env: Record<string, string | undefined> } }).process?.env;
  return environment?.['EINTHOVEN_KEY'] ?? '';
}

export class Einthoven {
  /** Every operation of the server. */
  readonly api: Client<paths>;

  constructor(options: Options) {
    const { key = fromEnvironment(), retries = 4 } = options;
    const send = retrying(options.fetch ?? ((request) => fetch(request)), retries);
    this.api = createClient<paths>({ baseUrl: options.url, fetch: send });
    this.api.use({
      async onRequest({ request }) {
        const now = typeof key === 'function' ? await key() : key;
        if (now) request.headers.set('Authorization', `Bearer ${now}`);
        return request;
      },
    });
  }

  /** The beats of a recording, or the classes of rows. */
  async classify(files: Files, stated: Stated = {}): Promise<Classification | Rows> {
    return answered(await this.send(files, stated, true)) as Classification | Rows;
  }

  /** The same as a job, for recordings that take long. */
  async submit(files: Files, stated: Stated = {}): Promise<Job> {
    return answered(await this.send(files, stated, false)) as Job;
  }

  private send(files: Files, { subject, ...stated }: Stated, wait: boolean) {
    const form = new FormData();
    for (const [name, value] of Object.entries(stated)) if (value !== undefined) form.append(name, String(value));
    for (const file of files) form.append('file', file, file.name);
    return this.api.POST('/v1/classify', {
      params: { query: { wait }, header: subject ? { 'X-Einthoven-Subject': subject } : {} },
      body: { file: [] },
      bodySerializer: () => form,
    });
  }

  /** What happens to a job, from where it is until it ends. A connection that breaks is made again. */
  async *events(id: string): AsyncGenerator<JobEvent> {
    for (let last: string | undefined; ; ) {
      const header = last === undefined ? {} : { 'Last-Event-ID': last };
      const { response, error } = await this.api.GET('/v1/jobs/{id}/events', { params: { path: { id }, header }, parseAs: 'stream' });
      if (response.status === 204) return;
      if (!response.ok || !response.body) throw refusal(error, response);
      for await (const event of eventsOf(response.body)) {
        last = event.id;
        yield event;
        if (['done', 'failed', 'cancelled'].includes(event.state)) return;
      }
    }
  }

  /** The result of a job, once it has one. */
  async result(job: Job | string): Promise<Classification | Rows> {
    const id = typeof job === 'string' ? job : job.id;
    for await (const _ of this.events(id));
    return answered(await this.api.GET('/v1/jobs/{id}/result', { params: { path: { id } } })) as Classification | Rows;
  }

  /** Every item of a list that comes in pages: `pages((query) => client.api.GET('/v1/models', { params: { query } }))`. */
  async *pages<T>(page: (query: { cursor?: string }) => Promise<{ data?: { items: T[]; next?: string | null }; error?: unknown; response: Response }>): AsyncGenerator<T> {
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const { items, next } = answered(await page(cursor === undefined ? {} : { cursor }));
      yield* items;
      cursor = next ?? null;
    }
  }

  /** Labels a prediction by a file of reference beats, as WFDB annotation files are (`.atr`). */
  async refer(prediction: string, beats: Blob, why?: string) {
    // The file goes as it is; its type is one of two that the operation takes.
    const options = {
      params: { path: { id: prediction }, query: why === undefined ? {} : { why } },
      body: '',
      bodySerializer: () => beats,
      headers: { 'Content-Type': 'application/octet-stream' },
    };
    return answered(await this.api.POST('/v1/predictions/{id}/labels', options));
  }

  /** Brings a version in and waits for its verdict. `stated` is what its files do not say, such as `recipe` and `labels`. */
  async addVersion(model: string, files: Files, stated: Record<string, string> = {}) {
    const form = new FormData();
    for (const [name, value] of Object.entries({ wait_s: '120', ...stated })) form.append(name, value);
    for (const file of files) form.append('file', file, file.name);
    // The form goes as it is; its type is one of three that the operation takes.
    const options = { params: { path: { model } }, body: '', bodySerializer: () => form };
    return answered(await this.api.POST('/v1/models/{model}/versions', options));
  }

  /** Lets a version answer. */
  async promote(model: string, version: string, reason?: string) {
    const body = { champion: version, ...(reason === undefined ? {} : { reason }) };
    return answered(await this.api.PUT('/v1/models/{model}/traffic', { params: { path: { model } }, body }));
  }

  /** Lets what answered before answer again. */
  async rollBack(model: string, reason?: string) {
    const body = reason === undefined ? {} : { reason };
    return answered(await this.api.POST('/v1/models/{model}/rollback', { params: { path: { model } }, body }));
  }
}
