/** Recalls which files were what, so that unchanged ones need not be read: one file, rows in key order. */
import { closeSync, openSync, readSync } from 'node:fs';
import { EMPTY_BYTES, compareUtf8, crc32c, errnoOf } from '#base';
import { DIGEST_BYTES, SYMLINK } from '#object';
import type { DiskEntry } from './disk-entry.ts';
import {
  CACHE_BLOCK_BYTES_MAX,
  CACHE_HEADER_BYTES,
  CACHE_MAGIC,
  ROW_EXECUTABLE,
  stillHolds,
  type StatRow,
} from './stat-row.ts';

/**
 * Reads a stat cache forward, in step with a scan, in bounded memory. It is only a cache: a file that is absent,
 * damaged or of another format ends early and says nothing.
 */
export class StatCacheReader implements Disposable {
  /** The store's epoch when it was written: while that lasts, what rows name is in the store. */
  readonly epoch: number;
  readonly stamp: number;
  readonly #fd: number;
  #block = Buffer.alloc(0);
  #at = 0;
  #key = Buffer.allocUnsafe(1024);
  #keyLength = 0;
  #row: StatRow | undefined;

  private constructor(fd: number, epoch: number, stamp: number) {
    this.#fd = fd;
    this.epoch = epoch;
    this.stamp = stamp;
    this.#row = this.#next();
  }

  static open(path: string): StatCacheReader | undefined {
    let fd: number;
    try {
      fd = openSync(path, 'r');
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
      return undefined;
    }
    const header = Buffer.alloc(CACHE_HEADER_BYTES);
    if (!readWhole(fd, header) || !headerIsGood(header)) {
      closeSync(fd);
      return undefined;
    }
    return new StatCacheReader(fd, header.readDoubleLE(8), header.readDoubleLE(16));
  }

  /** The row of `entry` if it still holds. Ask in key order. */
  recall(entry: DiskEntry): StatRow | undefined {
    while (this.#row !== undefined && this.#row.path !== entry.path) {
      if (compareUtf8(this.#row.path, entry.path) > 0) return undefined;
      this.#row = this.#next();
    }
    return this.#row !== undefined && stillHolds(this.#row, entry, this.stamp) ? this.#row : undefined;
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }

  #next(): StatRow | undefined {
    if (this.#at >= this.#block.length && !this.#nextBlock()) return undefined;
    // The checksum vouches for the block: its rows are as they were written.
    const block = this.#block;
    const shared = this.#varint();
    const fresh = this.#varint();
    this.#keyLength = shared + fresh;
    if (this.#keyLength > this.#key.length) this.#key = Buffer.concat([this.#key], this.#keyLength * 2);
    block.copy(this.#key, shared, this.#at, this.#at + fresh);
    this.#at += fresh;
    const kind = block[this.#at++];
    const size = this.#varint();
    const at = this.#at;
    const digest = block.subarray(at + 24, at + 24 + DIGEST_BYTES);
    this.#at = at + 24 + DIGEST_BYTES;
    let target = EMPTY_BYTES;
    if ((kind & ~ROW_EXECUTABLE) === SYMLINK) {
      const length = this.#varint();
      target = block.subarray(this.#at, this.#at + length);
      this.#at += length;
    }
    return {
      path: this.#key.toString('utf8', 0, this.#keyLength),
      kind: kind & ~ROW_EXECUTABLE,
      executable: kind >= ROW_EXECUTABLE,
      size,
      mtimeMs: block.readDoubleLE(at),
      ctimeMs: block.readDoubleLE(at + 8),
      ino: block.readDoubleLE(at + 16),
      digest,
      target,
    };
  }

  #varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.#block[this.#at++];
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  #nextBlock(): boolean {
    const head = Buffer.alloc(8);
    if (!readWhole(this.#fd, head)) return false;
    const length = head.readUInt32LE(0);
    if (length === 0 || length > CACHE_BLOCK_BYTES_MAX) return false;
    // A fresh buffer for each block, so that the digests handed out stay as they are.
    const block = Buffer.allocUnsafeSlow(length);
    if (!readWhole(this.#fd, block) || crc32c(block) !== head.readUInt32LE(4)) return false;
    this.#block = block;
    this.#at = 0;
    return true;
  }
}

function readWhole(fd: number, into: Buffer): boolean {
  let done = 0;
  try {
    while (done < into.length) {
      const got = readSync(fd, into, done, into.length - done, null);
      if (got === 0) return false;
      done += got;
    }
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return false;
  }
  return true;
}

function headerIsGood(header: Buffer): boolean {
  return (
    header.subarray(0, CACHE_MAGIC.length).equals(CACHE_MAGIC) &&
    crc32c(header.subarray(0, 24)) === header.readUInt32LE(24)
  );
}
