/** Keeps the list of remotes: in `art.toml` for everybody, in `.art/config.toml` for this repository alone. */
import { readFileSync } from 'node:fs';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { ArtError, errnoOf, fileError, replaceFile, suggest } from '#base';
import { parseRemoteName, parseWanted, setConfig, unsetConfig } from '#version';
import type { Layout } from './layout.ts';
import { readWanted, readWantedText, writeWantedText } from './wanted-files.ts';

/** Where a remote is, and how to reach it. */
export interface RemoteAddress {
  /** A relative folder counts from the work tree's root. */
  readonly url: string;
  readonly endpoint?: string;
  readonly region?: string;
  readonly pathStyle?: boolean;
  readonly profile?: string;
}

export interface RemoteEntry extends RemoteAddress {
  readonly name: string;
  /** Whether only this repository knows it. */
  readonly local: boolean;
}

export interface NewRemote extends RemoteAddress {
  readonly name: string;
  readonly local?: boolean;
}

const DEFAULT_REMOTE = 'origin';

/** All remotes, by name; one of `.art/config.toml` wins over one of `art.toml`. Raises CONFIG_INVALID. */
export function listRemotes({ root, config }: Pick<Layout, 'root' | 'config'>): RemoteEntry[] {
  const remotes = new Map<string, RemoteEntry>();
  for (const [name, table] of readWanted(root).remotes)
    remotes.set(name, entryOf(name, table, { file: 'art.toml', local: false }));
  for (const [name, table] of parseWanted(readText(config), config).remotes)
    remotes.set(name, entryOf(name, table, { file: config, local: true }));
  return [...remotes.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The remote of this name; without one `origin`, else the only one. Raises REMOTE_NOT_FOUND, REMOTE_UNSAID. */
export function getRemote(layout: Pick<Layout, 'root' | 'config'>, name?: string): RemoteEntry {
  const remotes = listRemotes(layout);
  if (name !== undefined) {
    const found = remotes.find((remote) => remote.name === name);
    if (found !== undefined) return found;
    const meant = suggest(
      name,
      remotes.map((remote) => remote.name),
    );
    throw new ArtError(
      'REMOTE_NOT_FOUND',
      `there is no remote "${name}"`,
      meant === undefined ? {} : { hint: `Did you mean "${meant}"?` },
    );
  }
  const usual =
    remotes.find((remote) => remote.name === DEFAULT_REMOTE) ??
    (remotes.length === 1 ? remotes[0] : undefined);
  if (usual !== undefined) return usual;
  const names = remotes.map((remote) => remote.name).join(', ');
  throw new ArtError(
    'REMOTE_UNSAID',
    remotes.length === 0 ? 'there is no remote yet' : `there are several remotes: ${names}`,
    remotes.length === 0 ? { hint: 'Add one: `art remote add origin FOLDER`.' } : {},
  );
}

/** Adds a remote; a relative folder in `url` counts from `folder`. Raises NAME_INVALID, REMOTE_EXISTS, REMOTE_URL_INVALID. */
export function addRemote(
  layout: Pick<Layout, 'root' | 'config'>,
  folder: string,
  { name, url, local = false, ...how }: NewRemote,
): RemoteEntry {
  parseRemoteName(name);
  refusePassword(url);
  const twin = listRemotes(layout).find((remote) => remote.name === name && remote.local === local);
  if (twin !== undefined)
    throw new ArtError('REMOTE_EXISTS', `there is a remote "${name}" already: ${twin.url}`);
  const kept = keptUrl(layout.root, folder, url);
  const values: readonly (readonly [string, string | boolean | undefined])[] = [
    ['url', kept],
    ['endpoint', how.endpoint],
    ['region', how.region],
    ['path-style', how.pathStyle === true ? true : undefined],
    ['profile', how.profile],
  ];
  const file = local ? layout.config : 'art.toml';
  let text = local ? readText(layout.config) : readWantedText(layout.root);
  for (const [key, value] of values)
    if (value !== undefined) text = setConfig(text, file, `remotes.${quotedKey(name)}.${key}`, String(value));
  writeText(layout, text, { local });
  return { name, url: kept, local, ...how };
}

/** Takes a remote out of the file it stands in. Raises REMOTE_NOT_FOUND. */
export function dropRemote(layout: Pick<Layout, 'root' | 'config'>, name: string): void {
  const { local } = getRemote(layout, name);
  const file = local ? layout.config : 'art.toml';
  const text = local ? readText(layout.config) : readWantedText(layout.root);
  writeText(layout, unsetConfig(text, file, `remotes.${quotedKey(name)}`), { local });
}

function refusePassword(url: string): void {
  const authority = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/([^/?#]*)@/.exec(url)?.[1];
  if (authority === undefined) return;
  const shown = url.replace(`${authority}@`, '***@');
  throw new ArtError('REMOTE_URL_INVALID', `${JSON.stringify(shown)} holds a user name or password`, {
    hint: 'Credentials belong in the environment or in an AWS profile: art.toml is read by everybody.',
  });
}

// A relative folder is kept relative to the root, so that the file means the same wherever the command was typed.
function keptUrl(root: string, folder: string, url: string): string {
  if (url === '') throw new ArtError('REMOTE_URL_INVALID', 'the address of a remote is empty');
  if (/^[A-Za-z][A-Za-z0-9+.-]+:\/\//.test(url) || isAbsolute(url) || /^~(\/|$)/.test(url)) return url;
  const path = relative(root, resolve(folder, url)).split(sep).join('/');
  return path === '' ? '.' : path.startsWith('.') ? path : `./${path}`;
}

function entryOf(
  name: string,
  table: Readonly<Record<string, unknown>>,
  { file, local }: { readonly file: string; readonly local: boolean },
): RemoteEntry {
  const invalid = (why: string) =>
    new ArtError('CONFIG_INVALID', `${file}: the remote ${JSON.stringify(name)} ${why}`);
  parseRemoteName(name);
  const text = (key: string) => {
    const value = table[key];
    if (value === undefined || typeof value === 'string') return value;
    if (typeof value === 'number') return String(value);
    throw invalid(`has a ${key} that is no text`);
  };
  const url = text('url');
  if (url === undefined) throw invalid('has no url');
  refusePassword(url);
  const pathStyle = table['path-style'];
  if (pathStyle !== undefined && typeof pathStyle !== 'boolean')
    throw invalid('has a path-style that is neither true nor false');
  const [endpoint, region, profile] = [text('endpoint'), text('region'), text('profile')];
  return {
    name,
    url,
    local,
    ...(endpoint !== undefined && { endpoint }),
    ...(region !== undefined && { region }),
    ...(pathStyle !== undefined && { pathStyle }),
    ...(profile !== undefined && { profile }),
  };
}

function quotedKey(name: string): string {
  return /^[A-Za-z0-9_-]+$/.test(name) ? name : JSON.stringify(name);
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return '';
    throw fileError(error, file);
  }
}

function writeText(
  layout: Pick<Layout, 'root' | 'config'>,
  text: string,
  { local }: { readonly local: boolean },
): void {
  if (!local) return writeWantedText(layout.root, text);
  try {
    replaceFile(layout.config, Buffer.from(text));
  } catch (error) {
    throw fileError(error, layout.config);
  }
}
