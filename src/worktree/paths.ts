/** Decides which paths of a tree may be written into a folder, and which names are never versioned. */
import { isUtf8 } from 'node:buffer';
import { ArtError, TEMPORARY_PREFIX, utf8 } from '#base';

const NAME_BYTES_MAX = 255;
const PATH_BYTES_MAX = 4096;
const INVISIBLE = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g;

export interface PathRules {
  /** Lets `.git` pass as a component; a tree can plant hooks there, so it is refused unless somebody asked. */
  readonly git?: boolean;
  /** Refuses what Windows would read as a drive, a separator or a device. */
  readonly windows?: boolean;
}

/**
 * Refuses a tree's path that could leave the target folder or touch what is not ours, with TREE_UNSAFE.
 * An empty folder's key, which ends in one slash, is fine. `checked` units at the start, up to and with a slash,
 * are known to be good.
 */
export function checkTreePath(path: string, rules: PathRules = {}, checked = 0): void {
  const why = unsafe(path, rules, checked);
  if (why !== undefined) throw new ArtError('TREE_UNSAFE', `the path ${JSON.stringify(path)} ${why}`);
}

function unsafe(path: string, rules: PathRules, checked: number): string | undefined {
  if (path === '') return 'is empty';
  if (path.length > PATH_BYTES_MAX) return 'is too long';
  if (path.charCodeAt(0) === 0x2f) return 'is absolute';
  const end = path.endsWith('/') ? path.length - 1 : path.length;
  for (let start = checked; start <= end;) {
    const slash = path.indexOf('/', start);
    const stop = slash === -1 || slash > end ? end : slash;
    const why = unsafeName(path.slice(start, stop), rules);
    if (why !== undefined) return why;
    start = stop + 1;
  }
  return undefined;
}

function unsafeName(name: string, rules: PathRules): string | undefined {
  if (name === '') return 'has an empty component';
  if (name.includes('\0')) return 'has a NUL in it';
  if (name.length > NAME_BYTES_MAX / 3 && utf8(name).length > NAME_BYTES_MAX)
    return 'has a component over 255 bytes';
  if (rules.windows === true) return unsafeOnWindows(name) ?? unsafeDotName(name, rules);
  return mayBeReserved(name) ? unsafeDotName(name, rules) : undefined;
}

function unsafeDotName(name: string, rules: PathRules): string | undefined {
  if (name === '.' || name === '..') return `has the component "${name}"`;
  const reserved = reservedName(name);
  if (reserved === 'art') return 'goes into a folder of art';
  if (reserved === 'git' && rules.git !== true) return 'goes into a folder of Git';
  if (reserved === 'temporary') return 'has the name of an unfinished file';
  return undefined;
}

/** A quick look: only a name that begins with a dot, or with what some file systems do not see, can be reserved. */
export function mayBeReserved(name: string): boolean {
  const first = name.charCodeAt(0);
  return first === 0x2e || first >= 0x200c;
}

/** Whose `name` is, if it is not the user's to version. */
export function reservedName(name: string): 'art' | 'git' | 'temporary' | undefined {
  // Folding file systems ignore case, HFS+ also these invisible characters: `.G\u200cIT` is `.git` there.
  const plain = name.replace(INVISIBLE, '').toLowerCase();
  if (plain === '.art') return 'art';
  if (plain === '.git') return 'git';
  return plain.startsWith(TEMPORARY_PREFIX) ? 'temporary' : undefined;
}

const MAYBE_RESERVED = /(?:^|\/)[.\u200c-\uffff]/;

/** `path` up to its first component that is Git's, without a slash at the end; undefined if none is. */
export function gitPartOf(path: string): string | undefined {
  if (!MAYBE_RESERVED.test(path)) return undefined;
  for (let start = 0; start < path.length;) {
    const slash = path.indexOf('/', start);
    const end = slash === -1 ? path.length : slash;
    if (reservedName(path.slice(start, end)) === 'git') return path.slice(0, end);
    start = end + 1;
  }
  return undefined;
}

function unsafeOnWindows(name: string): string | undefined {
  if (/[\\:*?"<>|]/.test(name)) return 'has a character that Windows reserves';
  if (/[. ]$/.test(name)) return 'has a component that Windows would shorten';
  if (/^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i.test(name)) return 'has the name of a device';
  if (/^git~\d+$/i.test(name)) return 'has the short name of a folder of Git';
  return undefined;
}

/** The key of a tree as text; bytes that are not UTF-8 raise TREE_UNSAFE. A folder's key keeps its slash. */
export function textOfKey(key: Uint8Array): string {
  const bytes = Buffer.from(key.buffer, key.byteOffset, key.length);
  const text = bytes.toString('utf8');
  if (text.includes('\ufffd') && !isUtf8(key)) {
    throw new ArtError('TREE_UNSAFE', `the path ${JSON.stringify(text)} is not valid UTF-8`);
  }
  return text;
}

/** What two names share that a folding file system takes for one: NFC and case. */
export function foldKey(name: string): string {
  return name.normalize('NFC').toUpperCase().toLowerCase().normalize('NFC');
}

/** The folder of `path` with its slash, or '' at the root; an empty folder's own key counts as inside itself. */
export function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/') + 1);
}
