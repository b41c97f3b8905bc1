/** Reads and writes configuration: the repository's `.art/config.toml`, and the user's own beneath it. */
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { errnoOf, fileError, makeFolders, replaceFile } from '#base';
import { getConfig, listConfig, setConfig } from '#version';

export interface ConfigFiles {
  /** The repository's, which wins; absent outside one. */
  readonly local?: string;
  readonly global: string;
}

export function configGet(files: ConfigFiles, key: string): string | undefined {
  const local = files.local === undefined ? undefined : getConfig(read(files.local), files.local, key);
  return local ?? getConfig(read(files.global), files.global, key);
}

/** Every value by its key, the repository's over the user's. */
export function configList(files: ConfigFiles): ReadonlyMap<string, string> {
  const values = new Map(listConfig(read(files.global), files.global));
  if (files.local !== undefined)
    for (const [key, value] of listConfig(read(files.local), files.local)) values.set(key, value);
  return values;
}

/** Sets a value in one file, comments kept. */
export function configSet(file: string, key: string, value: string): void {
  const text = setConfig(read(file), file, key, value);
  try {
    makeFolders(dirname(file));
    replaceFile(file, Buffer.from(text));
  } catch (error) {
    throw fileError(error, file);
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return '';
    throw fileError(error, file);
  }
}
