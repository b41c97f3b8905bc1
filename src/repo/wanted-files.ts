/** Reads and writes what the work tree wants: `art.toml` and `art.lock`. */
import { readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { ArtError, errnoOf, fileError, replaceFile } from '#base';
import { LOCK_FILE, WANTED_FILE, boundPath, formatLock, parseLock, parseWanted } from '#version';
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

/** The absolute path of a bound folder. */
export function boundFolder(root: string, binding: Binding): string {
  return binding.path === '.' ? root : join(root, ...binding.path.split('/'));
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
