/** Says what metadata may be, and keeps it inside its owner or, where large, as an object of its own. */
import * as dagCbor from '@ipld/dag-cbor';
import { ArtError } from '#base';
import { decodeNode, encodeNode } from './cbor.ts';
import type { Fields } from './cbor.ts';
import { DIGEST_BYTES, hash } from './hash.ts';
import type { Digest } from './id.ts';

/** What JSON can say, in finite numbers. Whole numbers beyond 2^53 lose digits, as in JSON. */
export type MetadataValue =
  null | boolean | number | string | readonly MetadataValue[] | { readonly [key: string]: MetadataValue };
export type Metadata = Readonly<Record<string, MetadataValue>>;

/** The most that metadata may take as DAG-CBOR. */
export const METADATA_BYTES_MAX = 1024 * 1024;
/** Metadata that takes more than this stands beside its owner, which has its digest. */
export const METADATA_INLINE_BYTES_MAX = 4 * 1024;
/** How many lists and maps may stand in each other, the outermost counted. */
export const METADATA_DEPTH_MAX = 64;

const FORMAT = 1;

/** An object that must be stored before what names it. */
export interface NodeBytes {
  readonly digest: Digest;
  readonly bytes: Uint8Array;
}

/** Where metadata goes: `value` into its owner, and `node`, if there is one, into the store before that. */
export interface PlacedMetadata {
  readonly value: Metadata | Digest;
  readonly node?: NodeBytes;
}

/** Decides where metadata goes, or raises METADATA_INVALID naming what in it cannot be kept. */
export function placeMetadata(metadata: Metadata): PlacedMetadata {
  const bytes = encodeMetadata(metadata);
  if (encodedSize(metadata) <= METADATA_INLINE_BYTES_MAX) return { value: metadata };
  const digest = hash(bytes);
  return { value: digest, node: { digest, bytes } };
}

/** Tells which of the two places it is. */
export function isDigest(value: Metadata | Digest): value is Digest {
  return value instanceof Uint8Array;
}

/** Encodes metadata as an object of its own, or raises METADATA_INVALID. */
export function encodeMetadata(metadata: Metadata): Uint8Array {
  const isMap = typeof metadata === 'object' && metadata !== null && !Array.isArray(metadata);
  const why = isMap ? findFault(metadata, 'metadata', 1) : 'metadata is no map';
  if (why !== undefined) throw new ArtError('METADATA_INVALID', why);
  const size = encodedSize(metadata);
  if (size > METADATA_BYTES_MAX) {
    throw new ArtError(
      'METADATA_INVALID',
      `metadata takes ${size} bytes; at most ${METADATA_BYTES_MAX} are kept`,
    );
  }
  return encodeNode('metadata', FORMAT, { value: metadata, ext: {} });
}

/** Decodes an object that `encodeMetadata` wrote, or raises OBJECT_INVALID. */
export function decodeMetadata(bytes: Uint8Array): Metadata {
  const fields = decodeNode('metadata', FORMAT, bytes);
  const metadata = checkMetadata(fields, 'value', METADATA_BYTES_MAX);
  fields.ext();
  fields.done();
  return metadata;
}

/** Reads a field that holds metadata or the digest of its object; raises OBJECT_INVALID if it is in the wrong place. */
export function placedMetadata(fields: Fields, key: string): Metadata | Digest {
  const value = fields.raw(key);
  if (!(value instanceof Uint8Array)) return checkMetadata(fields, key, METADATA_INLINE_BYTES_MAX);
  if (value.length !== DIGEST_BYTES) throw fields.invalid(key);
  return value;
}

/** Reads a field that holds a map of metadata of at most `bytesMax` encoded bytes, or raises OBJECT_INVALID. */
function checkMetadata(fields: Fields, key: string, bytesMax: number): Metadata {
  const metadata = fields.map(key);
  if (findFault(metadata, key, 1) !== undefined || encodedSize(metadata as Metadata) > bytesMax) {
    throw fields.invalid(key);
  }
  return metadata as Metadata;
}

function encodedSize(metadata: Metadata): number {
  return dagCbor.encode(metadata).length;
}

/** What in `value` cannot be kept and given back the same, said for people, or undefined. */
function findFault(value: unknown, path: string, depth: number): string | undefined {
  switch (typeof value) {
    case 'boolean':
      return undefined;
    case 'number':
      return Number.isFinite(value) ? undefined : `${path} is ${value}, which is no number JSON has`;
    case 'string':
      return isWellFormed(value) ? undefined : `${path} is not valid Unicode`;
    case 'object':
      break;
    default:
      return `${path} is of type ${typeof value}, which JSON does not have`;
  }
  if (value === null) return undefined;
  const isList = Array.isArray(value);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (!isList && prototype !== Object.prototype && prototype !== null)
    return `${path} is no plain map, list or value`;
  if (depth > METADATA_DEPTH_MAX) return `metadata is nested more than ${METADATA_DEPTH_MAX} deep`;
  if (isList) {
    for (let i = 0; i < value.length; i++) {
      const fault = findFault(value[i], `${path}[${i}]`, depth + 1);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }
  for (const [key, item] of Object.entries(value)) {
    // A map that has it as a key cannot be told from one that has another prototype.
    if (key === '__proto__') return `${path} has the key "__proto__"`;
    if (!isWellFormed(key)) return `${path} has a key that is not valid Unicode`;
    const fault = findFault(item, `${path}.${key}`, depth + 1);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}
