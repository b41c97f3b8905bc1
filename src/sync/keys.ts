/** Knows where things lie in a bucket. */
import { randomBytes } from 'node:crypto';
import { assert, isArtError } from '#base';
import { parseArtifactName } from '#version';
import type { ArtifactName } from '#version';

/** Names a pack and its index, and is never given twice: 10 characters of time, 16 of chance, 8 more of chance. */
export type PackId = string;

export const FORMAT_KEY = 'format';
export const POINTERS = 'refs/a/';
/** Pointers of every kind. */
export const ALL_POINTERS = 'refs/';
export const GC_STATE_KEY = 'gc/state';
export const INDEXES = 'idx/';
export const PACKS = 'packs/';
export const CONDEMNED = 'gc/condemned/';

const PACK_ID = /^[0-9a-hjkmnp-tv-z]{26}-[0-9a-f]{8}$/;
const CROCKFORD = '0123456789abcdefghjkmnpqrstvwxyz';

/** The pointer of an artifact: capitals are written `%c`, so that a store that folds case keeps names apart. */
export function pointerKey(name: ArtifactName): string {
  return POINTERS + name.replace(/[A-Z]/g, (capital) => `%${capital.toLowerCase()}`);
}

/** The artifact that a pointer is of; undefined for a key that is none. */
export function artifactOfPointer(key: string): ArtifactName | undefined {
  const escaped = key.startsWith(POINTERS) ? key.slice(POINTERS.length) : '';
  const text = escaped.replace(/%([a-z])/g, (_, letter: string) => letter.toUpperCase());
  try {
    const name = parseArtifactName(text);
    return pointerKey(name) === key ? name : undefined;
  } catch (error) {
    if (isArtError(error)) return undefined;
    throw error;
  }
}

/** A ULID (github.com/ulid/spec) in lower case, and more chance. Ids sort by time, roughly. */
export function newPackId(nowMs: number): PackId {
  let time = '';
  for (let i = 0, left = nowMs; i < 10; i++, left = Math.floor(left / 32)) time = CROCKFORD[left % 32] + time;
  const chance = [...randomBytes(16)].map((byte) => CROCKFORD[byte % 32]).join('');
  return `${time}${chance}-${randomBytes(4).toString('hex')}`;
}

/** When the pack was named, by the clock of whoever did; milliseconds since 1970. */
export function timeOfPackId(id: PackId): number {
  return [...id.slice(0, 10)].reduce((time, digit) => time * 32 + CROCKFORD.indexOf(digit), 0);
}

export function isPackId(text: string): boolean {
  return PACK_ID.test(text);
}

/** Packs are spread over 256 folders by the end of their ids. */
export function packKey(id: PackId): string {
  assert(isPackId(id), 'a pack has an id of its own form');
  return `${PACKS}${id.slice(-2)}/${id}.pack`;
}

export function indexKey(id: PackId): string {
  assert(isPackId(id), 'a pack has an id of its own form');
  return `${INDEXES}${id.slice(-2)}/${id}.idx`;
}

/** The pack that the index at `key` is of; undefined for a key that is none. */
export function packOfIndex(key: string): PackId | undefined {
  const id = /^idx\/[0-9a-f]{2}\/([^/]+)\.idx$/.exec(key)?.[1];
  return id !== undefined && isPackId(id) && indexKey(id) === key ? id : undefined;
}

/** The pack at `key`; undefined for a key that is none. */
export function packOfKey(key: string): PackId | undefined {
  const id = /^packs\/[0-9a-f]{2}\/([^/]+)\.pack$/.exec(key)?.[1];
  return id !== undefined && isPackId(id) && packKey(id) === key ? id : undefined;
}

/** What the names of all objects and of all pointers begin with that the check `id` (16 hex digits) tries things with. */
export function probePrefixes(id: string): { readonly objects: string; readonly pointers: string } {
  return { objects: `probe/${id}/`, pointers: `${ALL_POINTERS}@probe-${id}/` };
}

/** Whether a check of the bucket put this: it removes it again, unless it was killed. */
export function isProbe(key: string): boolean {
  return /^(probe\/|refs\/@probe-)[0-9a-f]{16}\//.test(key);
}

/** What can be written with the digits that a key has for it. */
export const EPOCH_MAX = 999_999_999_999;

/** Numbers are padded, so that they sort. */
export function condemnedKey(epoch: number): string {
  assert(Number.isSafeInteger(epoch) && epoch >= 0);
  return CONDEMNED + String(epoch).padStart(12, '0');
}

export function epochOfCondemned(key: string): number | undefined {
  const digits = /^gc\/condemned\/(\d{12})$/.exec(key)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
