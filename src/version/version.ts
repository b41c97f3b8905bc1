/** Turns one version of an artifact into an entry of its sorted map and back. */
import { strict as assert } from 'node:assert';
import { ENTRY_KIND } from '#object';
import type { Digest, VersionValue } from '#object';

/** One live version: its number, its commit, and what was said about it since. */
export interface Version {
  readonly number: number;
  /** The digest of its commit: what it is. */
  readonly commit: Digest;
  /** Bytes of all its files. */
  readonly bytes: number;
  readonly value: VersionValue;
}

/** A version number as a key: 8 bytes, big-endian, so that keys sort as numbers. */
export function versionKey(number: number): Uint8Array {
  assert(Number.isSafeInteger(number) && number >= 0);
  const key = Buffer.alloc(8);
  key.writeBigUInt64BE(BigInt(number));
  return key;
}
