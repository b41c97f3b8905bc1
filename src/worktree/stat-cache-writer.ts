/** Remembers which files were what for the next time: the other half of the stat cache. */
import { closeSync, openSync, renameSync, rmSync } from 'node:fs';
import { ByteWriter, EMPTY_BYTES, crc32c, errnoOf, writeAll } from '#base';
import { SYMLINK, type Digest } from '#object';
import type { Fingerprint } from './disk-entry.ts';
import { temporaryName } from './spool.ts';
import { CACHE_BLOCK_BYTES, CACHE_HEADER_BYTES, CACHE_MAGIC, ROW_EXECUTABLE } from './stat-row.ts';

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
    target: Uint8Array = EMPTY_BYTES,
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

  /** Puts it in place, the first time it is called. `epoch` is that of the store in which everything it names was found or put. */
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
