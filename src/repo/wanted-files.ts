/** Reads and writes what the work tree wants: `art.toml` and `art.lock`. */
import { readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { ArtError, errnoOf, fileError, realPath, replaceFile } from '#base';
import { LOCK_FILE, WANTED_FILE, bind, boundPath, formatLock, parseLock, parseWanted } from '#version';
import type { ArtifactName, Binding, Pin, Wanted } from '#version';
import { gitWouldTake } from '#worktree';
import type { Context } from './context.ts';

export function readWanted(root: string): Wanted {
  return parseWanted(readWantedText(root));
}

export function readWantedText(root: string): string {
  return readOr(join(root, WANTED_FILE), '');
}

export function writeWantedText(root: string, text: string): void {
  write(join(root, WANTED_FILE), text);
}

export function readPins(root: string): ReadonlyMap<ArtifactName, Pin> {
  return parseLock(readOr(join(root, LOCK_FILE), ''));
}

/** Pins artifacts to versions, or with undefined to none; writes only if that changes something. */
export function writePins(root: string, changes: ReadonlyMap<ArtifactName, Pin | undefined>): void {
  const before = readOr(join(root, LOCK_FILE), '');
  const pins = new Map(parseLock(before));
  for (const [name, pin] of changes) {
    if (pin === undefined) pins.delete(name);
    else pins.set(name, pin);
  }
  const after = formatLock(pins);
  if (after !== before && (before !== '' || pins.size > 0)) write(join(root, LOCK_FILE), after);
}

/**
 * Binds `name` to `path` in `art.toml` as it is now, or with `try` only looks whether that can be done. Raises
 * BINDING_CONFLICT, CONFIG_INVALID.
 */
export function bindInWanted(
  root: string,
  { name, path }: Pick<Binding, 'name' | 'path'>,
  options: { readonly try?: boolean } = {},
): void {
  const before = readWantedText(root);
  const after = bind(before, name, path);
  if (after !== before && options.try !== true) writeWantedText(root, after);
}

/** The absolute path of a bound folder, links followed: one folder has one name. */
export function boundFolder(root: string, { path }: Pick<Binding, 'path'>): string {
  return realPath(join(root, ...path.split('/')));
}

/** The binding whose folder is `folder`, a path without links. */
export function bindingAt(root: string, folder: string): Binding | undefined {
  return [...readWanted(root).bindings.values()].find((binding) => boundFolder(root, binding) === folder);
}

/** What `folder` is called in `art.toml`, or undefined if it may not be bound: it lies outside, or is reserved. */
export function bindablePath(root: string, folder: string): string | undefined {
  const path = boundPath(relative(root, folder).split(sep).join('/') || '.');
  return typeof path === 'string' ? path : undefined;
}

/** Tells once, when a folder is bound, that Git would take its files too. */
export function warnIfGitWouldTake(
  { root, onWarning }: Pick<Context, 'root' | 'onWarning'>,
  folder: string,
): void {
  if (!gitWouldTake(root, folder)) return;
  const path = relative(root, folder).split(sep).join('/');
  const line = `/${path.replace(/[\\*?[]/g, '\\$&')}/`;
  onWarning?.(`Git would take the files in ${JSON.stringify(path)} too: add the line ${line} to .gitignore`);
}

function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return otherwise;
    if (errnoOf(error) === 'EISDIR')
      throw new ArtError('CONFIG_INVALID', `${path} is a folder`, { cause: error });
    throw fileError(error, path);
  }
}

function write(path: string, text: string): void {
  try {
    replaceFile(path, Buffer.from(text));
  } catch (error) {
    throw fileError(error, path);
  }
}
