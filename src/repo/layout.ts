/** Finds and makes repositories: a folder with `.art/` in it. */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { ArtError, errnoOf, fileError, makeFolders, replaceFile, syncFolder } from '#base';
import { createStore } from '#store';
import { WANTED_FILE } from '#version';
import { networkFileSystem } from './network-file-system.ts';

/** The layout of `.art/` on disk; a repository with a higher number is refused. */
const LAYOUT = 1;

export interface Layout {
  /** The work tree: where `.art/` and `art.toml` lie. */
  readonly root: string;
  readonly art: string;
  readonly tmp: string;
  /** One file a scanned folder: what its files were when they were last read. */
  readonly stat: string;
  readonly config: string;
}

export function layoutOf(root: string): Layout {
  const art = join(root, '.art');
  return { root, art, tmp: join(art, 'tmp'), stat: join(art, 'stat'), config: join(art, 'config.toml') };
}

/**
 * The repository that `folder` lies in: the nearest folder upward with `.art/`.
 * Raises REPOSITORY_NOT_FOUND, REPOSITORY_TOO_NEW, STORE_DAMAGED.
 */
export function findRepository(folder: string): Layout {
  const start = resolve(folder);
  for (let at = start; ; at = dirname(at)) {
    if (isFolder(join(at, '.art'))) return checkLayout(layoutOf(at));
    if (existsSync(join(at, WANTED_FILE))) {
      throw new ArtError(
        'REPOSITORY_NOT_FOUND',
        `${JSON.stringify(at)} has an art.toml but no repository yet`,
        {
          hint: 'Run `art init && art pull && art checkout`.',
        },
      );
    }
    if (at === dirname(at)) break;
  }
  throw new ArtError(
    'REPOSITORY_NOT_FOUND',
    `neither ${JSON.stringify(start)} nor a folder above it is a repository`,
  );
}

/**
 * Makes a repository in `folder`; one that is there stays as it is (`created: false`). Warns on a network file system,
 * where one host cannot see whether a process of another is alive.
 * Raises REPOSITORY_NESTED inside another one unless `nested`, FOLDER_UNWRITABLE.
 */
export async function initRepository(
  folder: string,
  options: { readonly nested?: boolean; readonly onWarning?: (text: string) => void } = {},
): Promise<{ readonly root: string; readonly created: boolean }> {
  const root = resolve(folder);
  const layout = layoutOf(root);
  if (isFolder(layout.art) && existsSync(join(layout.art, 'format'))) {
    checkLayout(layout);
    return { root, created: false };
  }
  if (existsSync(root) && !isFolder(root)) {
    throw new ArtError('IO_FAILED', `${JSON.stringify(root)} is no folder, so it cannot be a repository`, {
      hint: 'Name a folder, or leave it away for the current one.',
    });
  }
  const outer = enclosing(dirname(root));
  if (outer !== undefined && !options.nested) {
    throw new ArtError(
      'REPOSITORY_NESTED',
      `${JSON.stringify(root)} lies inside the repository ${JSON.stringify(outer)}`,
    );
  }
  try {
    makeFolders(layout.art);
    makeFolders(layout.stat);
    writeFileSync(join(layout.art, '.gitignore'), '*\n');
  } catch (error) {
    throw fileError(error, layout.art);
  }
  await createStore(layout.art);
  if (!existsSync(join(root, WANTED_FILE))) replaceFile(join(root, WANTED_FILE), Buffer.from(WANTED_START));
  // Last: a repository without its format was never finished, and is finished by the next init.
  replaceFile(join(layout.art, 'format'), Buffer.from(`${LAYOUT}\n`));
  syncFolder(root);
  const shared = networkFileSystem(root);
  if (shared !== undefined)
    options.onWarning?.(
      `${JSON.stringify(root)} lies on a network file system (${shared}): use this repository from one host at a time; hosts share by a repository each and one folder as their remote`,
    );
  return { root, created: true };
}

const WANTED_START = '# Which folders hold which artifacts. Keep this file in Git; see `art help commit`.\n';

function checkLayout(layout: Layout): Layout {
  const path = join(layout.art, 'format');
  let text: string;
  try {
    text = readFileSync(path, 'utf8').trim();
  } catch (cause) {
    throw new ArtError('REPOSITORY_NOT_FOUND', `${JSON.stringify(layout.art)} was begun and never finished`, {
      cause,
      hint: 'Run `art init` again.',
    });
  }
  if (!/^\d{1,9}$/.test(text))
    throw new ArtError('STORE_DAMAGED', `${path} does not say which layout this repository has`);
  if (Number(text) > LAYOUT) {
    throw new ArtError(
      'REPOSITORY_TOO_NEW',
      `the repository ${JSON.stringify(layout.root)} has layout ${text}; this art knows ${LAYOUT}`,
    );
  }
  return layout;
}

function enclosing(start: string): string | undefined {
  for (let at = start; ; at = dirname(at)) {
    if (isFolder(join(at, '.art'))) return at;
    if (at === dirname(at)) return undefined;
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch (error) {
    if (errnoOf(error) === 'ENOTDIR') return false;
    throw fileError(error, path);
  }
}
