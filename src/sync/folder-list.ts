/** Walks a folder bucket in the order of its keys' bytes, without following links or going where no key asked lies. */
import type { Dirent } from 'node:fs';
import { join } from 'node:path';
import { ArtError, compareUtf8, errnoOf, nextTurn, throwIfAborted } from '#base';
import type { Pace } from '#base';
import { isKey, isPointerKey } from './bucket.ts';
import type { Listed } from './bucket.ts';
import { find, visitEntries } from './folder-fs.ts';
import type { FolderFs } from './folder-fs.ts';
import { currentOf, lookInto } from './folder-pointer.ts';

const NAMES_MAX = 1_000_000;
/** On a network share each look is a round trip or two. */
const LOOKS_AT_ONCE = 16;

interface Walk {
  readonly fs: FolderFs;
  readonly root: string;
  readonly prefix: string;
  readonly after: string;
  readonly signal: AbortSignal | undefined;
  /** When others get a turn: on a near file system no call waits. */
  readonly pace: Pace;
  /** The tag of an object that is no pointer. */
  readonly tagOf: (found: { readonly size: number; readonly mtimeMs: number }) => string;
}

/** All keys below the key `base` (empty or ending in `/`). */
export async function* walk(how: Walk, base = ''): AsyncGenerator<Listed, void, undefined> {
  const bare = new Set<string>();
  const names = await namesIn(how, base);
  for (let i = 0; i < names.length; i += LOOKS_AT_ONCE) {
    if (how.pace.due()) await nextTurn();
    throwIfAborted(how.signal);
    const page = names.slice(i, i + LOOKS_AT_ONCE);
    const looks = await Promise.all(page.map((name) => lookAt(how, base + name)));
    for (const [at, name] of page.entries()) {
      const look = looks[at];
      if (look === undefined) {
        if (!bare.delete(name)) yield* walk(how, base + name);
        continue;
      }
      if (!look.deeper) bare.add(`${name}/`);
      if (look.listed !== undefined) yield look.listed;
    }
  }
}

async function lookAt(how: Walk, key: string): Promise<Found | undefined> {
  if (key.endsWith('/')) return undefined;
  return isPointerKey(key) ? pointerAt(how, key) : objectAt(how, key);
}

/**
 * What is in a folder, in byte order: folders as `name/`, so that `a-b` comes before `a/c`. A folder of pointers is two
 * things, the pointer `name` and what lies below `name/`.
 */
async function namesIn(how: Walk, base: string): Promise<string[]> {
  let names: string[] = [];
  const inPointer = isPointerKey(base.slice(0, -1));
  const take = (name: string) => {
    if (name.endsWith('/') ? mayHold(how, base + name) : isAsked(how, base + name)) names.push(name);
    if (names.length > NAMES_MAX) throw tooMany(join(how.root, base));
  };
  const visit = (entry: Dirent) => {
    const key = base + entry.name;
    if (!isKey(key)) return undefined;
    refuseOddity(how, key, entry);
    if (entry.isDirectory()) take(`${entry.name}/`);
    if (isPointerKey(key) ? entry.isDirectory() : entry.isFile() && !inPointer) take(entry.name);
    return how.pace.due() ? nextTurn() : undefined;
  };
  try {
    await visitEntries(how.fs, join(how.root, base), { begin: () => (names = []), visit });
  } catch (error) {
    // A folder may vanish while others tidy up; the root may not.
    if (base === '' || (errnoOf(error) !== 'ENOENT' && errnoOf(error) !== 'ENOTDIR')) throw error;
  }
  return names.sort(compareUtf8);
}

/** What systems leave in every folder that is looked at; other such names begin with a dot. */
const STRAY = /^(\..*|desktop\.ini|thumbs\.db)$/i;
/** Where only folders belong: plain files elsewhere hide nothing. */
const FOLDERS = /^(gc(\/state|\/condemned)?|refs(\/[^/]+){0,2}|(packs|idx)(\/[^/]{2})?)$/;
/** Below an artifact's pointer there are no others: a folder that is called like a value hides those before it. */
const VALUES = /^refs\/a\/[^/]+\/[0-9]+$/;

/** What cannot be read is not absent: gc would take all that a pointer keeps alive, and all that a pack holds, for dead. */
function refuseOddity({ root }: Walk, key: string, entry: Dirent): void {
  if (!/^(refs|gc|packs|idx)(\/|$)/.test(key) || STRAY.test(entry.name)) return;
  if (entry.isDirectory() ? !VALUES.test(key) : entry.isFile() && !FOLDERS.test(key)) return;
  const what = entry.isSymbolicLink() ? 'a link' : entry.isDirectory() ? 'a folder' : 'no folder';
  throw new ArtError(
    'REMOTE_CORRUPT',
    `${JSON.stringify(join(root, key))} is ${what}, and stands where something of the bucket belongs`,
    { hint: 'Move it away; if what was there was moved, bring it back. Until then nothing is changed.' },
  );
}

const isAsked = ({ prefix, after }: Walk, key: string) =>
  key.startsWith(prefix) && compareUtf8(key, after) > 0;

/** Tells whether a key below `folder`, which ends in `/`, can be one that was asked for. */
function mayHold({ prefix, after }: Walk, folder: string): boolean {
  if (!folder.startsWith(prefix) && !prefix.startsWith(folder)) return false;
  return compareUtf8(folder, after) > 0 || after.startsWith(folder);
}

interface Found {
  readonly listed?: Listed;
  /** Whether keys may go on after this one and a `/`. */
  readonly deeper: boolean;
}

async function pointerAt({ fs, root }: Walk, key: string): Promise<Found> {
  const inside = await lookInto(fs, join(root, key));
  const { deeper } = inside;
  const current = await currentOf(fs, join(root, key), inside);
  if (current === undefined) return { deeper };
  const { tag, size, modified } = current;
  return { listed: { key, tag, size, modified }, deeper };
}

async function objectAt({ fs, root, tagOf }: Walk, key: string): Promise<Found> {
  const found = await find(fs, join(root, key));
  if (!found?.isFile()) return { deeper: true };
  return { listed: { key, tag: tagOf(found), size: found.size, modified: found.mtimeMs }, deeper: true };
}

function tooMany(folder: string): ArtError {
  return new ArtError('REMOTE_FAILED', `${JSON.stringify(folder)} holds more than ${NAMES_MAX} names`);
}
