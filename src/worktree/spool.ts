/** Keeps a long list of records in a temporary file instead of memory. */
import { closeSync, openSync, readSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { ByteWriter, assert, fileError, writeAll } from '#base';

const BUFFER_BYTES = 64 * 1024;
let made = 0;

/** A name in `folder` that nobody else uses: for files that live as long as this process. */
export function temporaryName(folder: string, what: string): string {
  return join(folder, `${what}-${process.pid}-${Date.now().toString(36)}-${++made}`);
}

/** Records are added, then read in the same order, any number of times. The file has no name once it is open. */
export class Spool implements Disposable {
  readonly #fd: number;
  readonly #path: string;
  readonly #writer = new ByteWriter(BUFFER_BYTES + 4096);
  #count = 0;
  #bytes = 0;

  /** Makes the file in `folder`; raises FOLDER_UNWRITABLE, PATH_NOT_FOUND or DISK_FULL. */
  constructor(folder: string, what: string) {
    this.#path = temporaryName(folder, what);
    try {
      this.#fd = openSync(this.#path, 'wx+', 0o600);
    } catch (error) {
      throw fileError(error, this.#path);
    }
    try {
      unlinkSync(this.#path);
    } catch {
      // Windows keeps the name while the file is open; `art fsck` sweeps what a crash leaves.
    }
  }

  get count(): number {
    return this.#count;
  }

  /** Gives where the record lies, for `at`. */
  add(record: Uint8Array): number {
    const position = this.#bytes + this.#writer.length;
    this.#writer.u32(record.length).bytes(record);
    this.#count++;
    if (this.#writer.length >= BUFFER_BYTES) this.#flush();
    return position;
  }

  /** The record that `add` put at `position`, a copy. */
  at(position: number): Uint8Array {
    this.#flush();
    const length = this.#read(position, 4).readUInt32LE();
    return this.#read(position + 4, length);
  }

  /** Every record in the order added; a view that the next step may overwrite. */
  *records(): Generator<Uint8Array, void> {
    this.#flush();
    let buffer = Buffer.allocUnsafe(BUFFER_BYTES);
    let start = 0;
    let end = 0;
    let position = 0;
    const need = (bytes: number) => {
      if (end - start >= bytes) return;
      if (bytes > buffer.length) buffer = Buffer.concat([buffer], bytes);
      buffer.copyWithin(0, start, end);
      end -= start;
      start = 0;
      while (end < bytes) {
        const got = readSync(this.#fd, buffer, end, buffer.length - end, position);
        assert(got > 0, 'a spool ends early');
        end += got;
        position += got;
      }
    };
    for (let left = this.#count; left > 0; left--) {
      need(4);
      const length = buffer.readUInt32LE(start);
      need(4 + length);
      const record = buffer.subarray(start + 4, start + 4 + length);
      start += 4 + length;
      yield record;
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }

  #read(position: number, bytes: number): Buffer {
    const buffer = Buffer.allocUnsafe(bytes);
    for (let done = 0; done < bytes;) {
      const got = readSync(this.#fd, buffer, done, bytes - done, position + done);
      assert(got > 0, 'a spool ends early');
      done += got;
    }
    return buffer;
  }

  #flush(): void {
    if (this.#writer.length === 0) return;
    try {
      writeAll(this.#fd, this.#writer.view(), this.#bytes);
    } catch (error) {
      throw fileError(error, this.#path);
    }
    this.#bytes += this.#writer.length;
    this.#writer.clear();
  }
}
