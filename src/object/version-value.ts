/** What the sorted maps of an artifact's state say of one version: alive, or gone with a tombstone. */
import * as dagCbor from '@ipld/dag-cbor';
import { ArtError, assert, equalBytes } from '#base';
import { Fields } from './cbor.ts';
import type { Ext } from './cbor.ts';
import { AUTHOR_BYTES_MAX, RUN_ID_BYTES_MAX } from './commit.ts';
import { orNull } from './field-readers.ts';
import { hash } from './hash.ts';
import type { Digest } from './id.ts';
import { decodeMetadata, encodeMetadata, isDigest, placedMetadata } from './metadata.ts';
import type { Metadata, NodeBytes } from './metadata.ts';
import { DESCRIPTION_BYTES_MAX, TAG_BYTES_MAX, TAGS_MAX } from './state.ts';
import { EXTRA_BYTES_MAX } from './tree-entry.ts';

/** What was said about a version since its commit. */
export interface VersionValue {
  /** The digest of its map entry. */
  readonly commit: Digest;
  readonly tags: readonly string[];
  /** Milliseconds that it is kept after its commit; null for what its artifact says. */
  readonly ttl: number | null;
  /** Ids of the runs that produced exactly this content. */
  readonly producers: readonly string[];
  readonly description?: string;
  /** As `placeMetadata` placed it; absent while its commit's own holds. */
  readonly metadata?: Metadata | Digest;
  /** Absent rather than empty. */
  readonly ext?: Ext;
}

/** What is left of a version that was deleted. */
export interface TombstoneValue {
  /** The digest of its map entry; the commit itself may be gone. */
  readonly commit: Digest;
  readonly who: string;
  /** Milliseconds since 1970 UTC. */
  readonly when: number;
  /** Absent rather than empty. */
  readonly ext?: Ext;
}

/** `extra` goes into the map entry, and `node`, if there is one, into the store before that. */
export interface EncodedVersionValue {
  readonly extra: Uint8Array;
  readonly node?: NodeBytes;
}

export const PRODUCERS_MAX = 4096;

/**
 * Encodes all but the commit. What would not fit in an entry's extra is spilled into a metadata object, all but the
 * digest of its metadata, so that no strong link is ever inside one. Raises OBJECT_INVALID naming a field that is out
 * of its bounds.
 */
export function encodeVersionValue(value: VersionValue): EncodedVersionValue {
  const { commit, ...said } = value;
  const extra = dagCbor.encode(said);
  readSaid(commit, new Fields('version', said));
  if (extra.length <= EXTRA_BYTES_MAX) return { extra };
  const { metadata, ...rest } = said;
  const linked = metadata !== undefined && isDigest(metadata);
  const bytes = encodeMetadata((linked ? rest : said) as Metadata);
  const spilled = hash(bytes);
  return {
    extra: dagCbor.encode(linked ? { spilled, metadata } : { spilled }),
    node: { digest: spilled, bytes },
  };
}

/** What a version's extra links to strongly: its metadata's object, and the object the rest was spilled into. */
export interface VersionLinks {
  readonly spilled?: Digest;
  readonly metadata?: Digest;
}

/** Reads only the links of a version's extra, or raises OBJECT_INVALID. */
export function versionLinks(extra: Uint8Array): VersionLinks {
  const fields = fieldsOf('version', extra);
  const metadata = fields.has('metadata') ? placedMetadata(fields, 'metadata') : undefined;
  return {
    ...(fields.has('spilled') && { spilled: fields.digest('spilled') }),
    ...(metadata !== undefined && isDigest(metadata) && { metadata }),
  };
}

/**
 * Decodes a version from its map entry and, where `versionLinks` names a spilled object, that object's bytes; raises
 * OBJECT_INVALID.
 */
export function decodeVersionValue(
  entry: { readonly digest: Digest; readonly extra: Uint8Array },
  spilled?: Uint8Array,
): VersionValue {
  const fields = fieldsOf('version', entry.extra);
  if (!fields.has('spilled')) return readSaid(entry.digest, fields);
  assert(spilled !== undefined, 'read the spilled object that versionLinks names first');
  fields.digest('spilled');
  const metadata = fields.has('metadata') ? fields.digest('metadata') : undefined;
  fields.done();
  const said = decodeMetadata(spilled);
  if (metadata !== undefined && Object.hasOwn(said, 'metadata')) throw fields.invalid('metadata');
  return readSaid(entry.digest, new Fields('version', metadata === undefined ? said : { ...said, metadata }));
}

/** Encodes all but the commit. */
export function encodeTombstoneValue(value: TombstoneValue): Uint8Array {
  const { commit, ...said } = value;
  readTombstone(commit, new Fields('tombstone', said));
  return dagCbor.encode(said);
}

/** Decodes a tombstone from its map entry, or raises OBJECT_INVALID. */
export function decodeTombstoneValue(entry: {
  readonly digest: Digest;
  readonly extra: Uint8Array;
}): TombstoneValue {
  return readTombstone(entry.digest, fieldsOf('tombstone', entry.extra));
}

function readSaid(commit: Digest, fields: Fields): VersionValue {
  const value: VersionValue = {
    commit,
    tags: fields.texts('tags', TAGS_MAX, TAG_BYTES_MAX),
    ttl: orNull(fields, 'ttl', () => fields.count('ttl')),
    producers: fields.texts('producers', PRODUCERS_MAX, RUN_ID_BYTES_MAX),
    ...(fields.has('description') && { description: fields.text('description', DESCRIPTION_BYTES_MAX) }),
    ...(fields.has('metadata') && { metadata: placedMetadata(fields, 'metadata') }),
    ...extOf(fields),
  };
  fields.done();
  return value;
}

function readTombstone(commit: Digest, fields: Fields): TombstoneValue {
  const value: TombstoneValue = {
    commit,
    who: fields.text('who', AUTHOR_BYTES_MAX),
    when: fields.count('when'),
    ...extOf(fields),
  };
  fields.done();
  return value;
}

function extOf(fields: Fields): { readonly ext?: Ext } {
  if (!fields.has('ext')) return {};
  const ext = fields.ext();
  if (Object.keys(ext).length === 0) throw fields.invalid('ext');
  return { ext };
}

function fieldsOf(what: string, extra: Uint8Array): Fields {
  let decoded: unknown;
  try {
    decoded = dagCbor.decode(extra);
    if (!equalBytes(dagCbor.encode(decoded), extra)) throw new Error('not the one canonical encoding');
  } catch (cause) {
    throw new ArtError('OBJECT_INVALID', `${what} is not DAG-CBOR`, { cause });
  }
  return new Fields(what, { value: decoded }).fields('value');
}
