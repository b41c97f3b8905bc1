/** Writes and reads the names of objects as people and other programs see them: CIDs and prefixes of hashes. */
import { base32 } from 'multiformats/bases/base32';
import { ArtError, equalBytes, fromHex, toHex } from '#base';
import { DIGEST_BYTES } from './hash.ts';
import { CHUNK, NODE } from './id.ts';
import type { Digest, ObjectId, ObjectKind } from './id.ts';

/** What every CID of a node begins with, and every CID of a chunk. */
export const NODE_CID_START = 'bafyr4i';
export const CHUNK_CID_START = 'bafkr4i';
/** No shorter hash prefix is taken for one. */
export const HASH_PREFIX_LENGTH_MIN = 4;

// CIDv1, codec (https://github.com/multiformats/multicodec), multihash BLAKE3, its length. All are one-byte varints.
const CHUNK_HEADER = Uint8Array.of(0x01, 0x55, 0x1e, DIGEST_BYTES);
const NODE_HEADER = Uint8Array.of(0x01, 0x71, 0x1e, DIGEST_BYTES);
const HEADER_BYTES = NODE_HEADER.length;
const CID_LENGTH = 59;
const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';

/** A CIDv1 in base32, 59 characters. */
export function formatCid({ kind, digest }: ObjectId): string {
  const bytes = new Uint8Array(HEADER_BYTES + DIGEST_BYTES);
  bytes.set(kind === CHUNK ? CHUNK_HEADER : NODE_HEADER);
  bytes.set(digest, HEADER_BYTES);
  return base32.encode(bytes);
}

/** Reads a whole CID as `formatCid` writes it, or raises SPEC_INVALID: another version, codec, hash or base included. */
export function parseCid(text: string): ObjectId {
  let bytes: Uint8Array;
  try {
    bytes = base32.decode(text);
  } catch (cause) {
    throw new ArtError('SPEC_INVALID', `${JSON.stringify(text)} is not a CID in base32`, { cause });
  }
  const header = bytes.subarray(0, HEADER_BYTES);
  const kind: ObjectKind = equalBytes(header, CHUNK_HEADER) ? CHUNK : NODE;
  const known = kind === CHUNK || equalBytes(header, NODE_HEADER);
  const id: ObjectId = { kind, digest: bytes.slice(HEADER_BYTES) };
  // Written again it must be the same: base32 forgives upper case and stray bits at the end.
  if (!known || id.digest.length !== DIGEST_BYTES || formatCid(id) !== text) {
    throw new ArtError('SPEC_INVALID', `${JSON.stringify(text)} is not the CID of anything art stores`);
  }
  return id;
}

/** What is known of a digest. */
export interface HashPrefix {
  /** Which kind of object a CID says it is; undefined for hex, which does not say. */
  readonly kind: ObjectKind | undefined;
  /** The known bits, from the highest of the first byte; what follows them in the last byte is 0. */
  readonly bytes: Uint8Array;
  readonly bits: number;
}

/**
 * Reads 4 to 64 hex characters of a digest, or a CID or prefix of one that is longer than NODE_CID_START, or raises
 * SPEC_INVALID. Hex may be in upper case.
 */
export function parseHashPrefix(text: string): HashPrefix {
  const prefix = findHashPrefix(text);
  if (prefix !== undefined) return prefix;
  throw new ArtError(
    'SPEC_INVALID',
    `${JSON.stringify(text)} is no hash: write ${HASH_PREFIX_LENGTH_MIN} to 64 hex characters, or a CID longer than "${NODE_CID_START}"`,
  );
}

/** Tells whether `parseHashPrefix` takes it. */
export function isHashText(text: string): boolean {
  return findHashPrefix(text) !== undefined;
}

/** Tells whether `digest` begins with what is known. */
export function hasHashPrefix(digest: Digest, { bytes, bits }: HashPrefix): boolean {
  const whole = bits >> 3;
  for (let i = 0; i < whole; i++) if (digest[i] !== bytes[i]) return false;
  const rest = bits & 7;
  return rest === 0 || (digest[whole] ^ bytes[whole]) >> (8 - rest) === 0;
}

/** Tells whether a node's digest matches what the user typed; raises SPEC_INVALID as `parseHashPrefix` does. */
export function matchesHash(digest: Digest, text: string): boolean {
  const prefix = parseHashPrefix(text);
  return prefix.kind !== CHUNK && hasHashPrefix(digest, prefix);
}

/** The first characters of a digest in hex, as people are shown it. */
export function shortHash(digest: Digest): string {
  return toHex(digest.subarray(0, 5));
}

function findHashPrefix(text: string): HashPrefix | undefined {
  if (/^[0-9a-f]{4,64}$/i.test(text)) {
    return {
      kind: undefined,
      bytes: fromHex(text.length % 2 === 0 ? text : `${text}0`),
      bits: text.length * 4,
    };
  }
  const start = text.slice(0, NODE_CID_START.length);
  const isCid = start === NODE_CID_START || start === CHUNK_CID_START;
  if (isCid && text.length > start.length && text.length <= CID_LENGTH && /^[a-z2-7]+$/.test(text)) {
    const bits = bitsOfBase32(text.slice(1));
    const header = '0'.repeat(HEADER_BYTES * 8);
    const digestBits = bits.slice(header.length, header.length + DIGEST_BYTES * 8);
    const beyond = bits.slice(header.length + DIGEST_BYTES * 8);
    // The two bits before the digest's first share its character, as those after its last do; both are always 0.
    if (bits.slice(30, header.length) === '00' && !beyond.includes('1')) {
      const bytes = new Uint8Array(Math.ceil(digestBits.length / 8));
      for (let i = 0; i < digestBits.length; i++) if (digestBits[i] === '1') bytes[i >> 3] |= 0x80 >> (i & 7);
      return { kind: start === NODE_CID_START ? NODE : CHUNK, bytes, bits: digestBits.length };
    }
  }
  return undefined;
}

function bitsOfBase32(text: string): string {
  let bits = '';
  for (const character of text) bits += BASE32.indexOf(character).toString(2).padStart(5, '0');
  return bits;
}
