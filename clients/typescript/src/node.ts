// Files of a disk, for Node.js.

import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** These files. */
export function files(...paths: string[]): Promise<File[]> {
  return Promise.all(paths.map(async (path) => new File([new Uint8Array(await readFile(path))], basename(path))));
}

/** All files of a WFDB record, named as WFDB names it: without an ending. */
export async function record(name: string): Promise<File[]> {
  const folder = dirname(name);
  const own = (await readdir(folder)).filter((file) => file.startsWith(`${basename(name)}.`));
  if (!own.some((file) => file.endsWith('.hea'))) throw new Error(`there is no ${name}.hea`);
  return files(...own.map((file) => join(folder, file)));
}
