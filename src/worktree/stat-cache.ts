/** Remembers which files were what, so that unchanged ones need not be read: one file, rows in key order. */
import { closeSync, openSync, readSync, renameSync, rmSync } from 'node:fs';
import { compareUtf8, crc32c, ByteWriter, errnoOf, writeAll } from '#base';
import { DIGEST_BYTES, SYMLINK, type Digest } from '#object';
import type { DiskEntry, Fingerprint } from './disk-entry.ts';
import {
  CACHE_BLOCK_BYTES,
  CACHE_BLOCK_BYTES_MAX,
  CACHE_HEADER_BYTES,
  CACHE_MAGIC,
  ROW_EXECUTABLE,
  stillHolds,
  type StatRow,
} from './stat-row.ts';
import { temporaryName } from './spool.ts';

const NO_TARGET = new Uint8Array(0);

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
    let target = NO_TARGET;
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

/** Writes a stat cache; rows come in key order. Failing to write leaves the old one and is no error. */
export class StatCacheWriter implements Disposable {
  readonly #path: string;
  readonly #temporary: string;
  readonly #block = new ByteWriter(CACHE_BLOCK_BYTES + 8 * 1024);
  #fd: number | undefined;
  #position = CACHE_HEADER_BYTES;
  #key = Buffer.allocUnsafe(1024);
  #before = Buffer.allocUnsafe(1024);
  #beforeLength = 0;

  /** Will replace `path`; the unfinished file lies in `tmpDir`, on the same file system. */
  constructor(path: string, tmpDir: string) {
    this.#path = path;
    this.#temporary = temporaryName(tmpDir, 'stat');
    try {
      this.#fd = openSync(this.#temporary, 'wx', 0o600);
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
    }
  }

  add(
    path: string,
    kind: number,
    executable: boolean,
    print: Fingerprint,
    digest: Digest,
    target: Uint8Array = NO_TARGET,
  ): void {
    if (this.#fd === undefined) return;
    if (path.length * 3 > this.#key.length) this.#grow(path.length * 3);
    const length = this.#key.write(path, 0, 'utf8');
    const shared = this.#sharedWithBefore(length);
    this.#block
      .varint(shared)
      .varint(length - shared)
      .bytes(this.#key.subarray(shared, length))
      .u8(kind | (executable ? ROW_EXECUTABLE : 0))
      .varint(print.size)
      .f64(print.mtimeMs)
      .f64(print.ctimeMs)
      .f64(print.ino)
      .bytes(digest);
    if (kind === SYMLINK) this.#block.sized(target);
    [this.#key, this.#before] = [this.#before, this.#key];
    this.#beforeLength = length;
    if (this.#block.length >= CACHE_BLOCK_BYTES) this.#flush();
  }

  /** Puts it in place. `epoch` is that of the store in which everything it names was found or put. */
  finish(by: { readonly epoch: number; readonly stamp: number }): void {
    this.#flush();
    if (this.#fd === undefined) return;
    const header = Buffer.alloc(CACHE_HEADER_BYTES);
    CACHE_MAGIC.copy(header);
    header.writeDoubleLE(by.epoch, 8);
    header.writeDoubleLE(by.stamp, 16);
    header.writeUInt32LE(crc32c(header.subarray(0, 24)), 24);
    this.#quietly(() => {
      writeAll(this.#fd!, header, 0);
      closeSync(this.#fd!);
      this.#fd = undefined;
      renameSync(this.#temporary, this.#path);
    });
    this[Symbol.dispose]();
  }

  /** Drops what was written, unless it was finished. */
  [Symbol.dispose](): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
    rmSync(this.#temporary, { force: true });
  }

  #sharedWithBefore(length: number): number {
    const end = Math.min(length, this.#beforeLength);
    let shared = 0;
    while (shared < end && this.#key[shared] === this.#before[shared]) shared++;
    return shared;
  }

  #grow(length: number): void {
    this.#key = Buffer.allocUnsafe(length);
    this.#before = Buffer.concat([this.#before], length);
  }

  #flush(): void {
    this.#beforeLength = 0;
    if (this.#fd === undefined || this.#block.length === 0) return;
    const block = this.#block.view();
    const head = Buffer.alloc(8);
    head.writeUInt32LE(block.length, 0);
    head.writeUInt32LE(crc32c(block), 4);
    this.#quietly(() => {
      writeAll(this.#fd!, head, this.#position);
      writeAll(this.#fd!, block, this.#position + head.length);
    });
    this.#position += head.length + block.length;
    this.#block.clear();
  }

  #quietly(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
      this[Symbol.dispose]();
    }
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
