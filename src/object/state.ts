/** The state of an artifact: everything about it that can change, as one object that the next state follows. */
import { compareUtf8 } from '#base';
import { decodeNode, encodeNode } from './cbor.ts';
import type { Ext, Fields } from './cbor.ts';
import { digestOrNull } from './field-readers.ts';
import type { Digest } from './id.ts';

export interface ArtifactState {
  readonly name: string;
  readonly type: string;
  /** Markdown. */
  readonly description: string;
  /** In ascending order of their UTF-8 bytes is best: equal sets are then equal states. */
  readonly tags: readonly string[];
  /** The root of the sorted map from version number to version; null while there is none. */
  readonly versions: Digest | null;
  /** Version numbers by alias, without `latest`. */
  readonly aliases: ReadonlyMap<string, number>;
  /** The number that the next version gets; it never goes down. */
  readonly next: number;
  /** The root of the sorted map from version number to tombstone; null while there is none. */
  readonly tombstones: Digest | null;
  /** The state before this one; it may be absent from the store. */
  readonly previous: Digest | null;
  readonly versionCount: number;
  readonly tombstoneCount: number;
  /** Sum of the bytes of the live versions. */
  readonly bytes: number;
  readonly ext: Ext;
}

export const NAME_BYTES_MAX = 128;
export const TYPE_BYTES_MAX = 512;
export const DESCRIPTION_BYTES_MAX = 64 * 1024;
export const TAGS_MAX = 256;
export const TAG_BYTES_MAX = 512;
export const ALIASES_MAX = 2048;
export const ALIAS_BYTES_MAX = 512;

const FORMAT = 1;

/** Encodes a state; raises OBJECT_INVALID naming a field that is out of its bounds. */
export function encodeState(state: ArtifactState): Uint8Array {
  const bytes = encodeNode('state', FORMAT, { ...state, aliases: aliasRows(state.aliases) });
  decodeState(bytes);
  return bytes;
}

/** Decodes a state, or raises OBJECT_INVALID. */
export function decodeState(bytes: Uint8Array): ArtifactState {
  const fields = decodeNode('state', FORMAT, bytes);
  const next = fields.count('next');
  const state: ArtifactState = {
    name: fields.text('name', NAME_BYTES_MAX),
    type: fields.text('type', TYPE_BYTES_MAX),
    description: fields.text('description', DESCRIPTION_BYTES_MAX),
    tags: fields.texts('tags', TAGS_MAX, TAG_BYTES_MAX),
    versions: digestOrNull(fields, 'versions'),
    aliases: aliasesOf(fields, next),
    next,
    tombstones: digestOrNull(fields, 'tombstones'),
    previous: digestOrNull(fields, 'previous'),
    versionCount: fields.count('versionCount', next),
    tombstoneCount: fields.count('tombstoneCount', next),
    bytes: fields.count('bytes'),
    ext: fields.ext(),
  };
  fields.done();
  if ((state.versions === null) !== (state.versionCount === 0)) throw fields.invalid('versions');
  if ((state.tombstones === null) !== (state.tombstoneCount === 0)) throw fields.invalid('tombstones');
  return state;
}

// Pairs in the order of their aliases' bytes: a map could not hold "__proto__".
function aliasRows(aliases: ReadonlyMap<string, number>): readonly (readonly [string, number])[] {
  return [...aliases].sort(([a], [b]) => compareUtf8(a, b));
}

function aliasesOf(fields: Fields, next: number): ReadonlyMap<string, number> {
  const aliases = new Map<string, number>();
  let last: string | undefined;
  for (const row of fields.list('aliases', ALIASES_MAX)) {
    if (!Array.isArray(row) || row.length !== 2) throw fields.invalid('aliases');
    const [alias, number] = row as unknown[];
    if (typeof alias !== 'string' || Buffer.byteLength(alias) > ALIAS_BYTES_MAX)
      throw fields.invalid('aliases');
    if (last !== undefined && compareUtf8(last, alias) >= 0) throw fields.invalid('aliases');
    if (typeof number !== 'number' || !Number.isSafeInteger(number) || number < 0 || number >= next) {
      throw fields.invalid('aliases');
    }
    aliases.set(alias, number);
    last = alias;
  }
  return aliases;
}
