/** Fills one new pack in `tmp/`, outside any lock. */
import { closeSync, fdatasync, openSync, rmSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { WriteBehind, fileError, writeAll } from '#base';
import { HEADER_BYTES, PACK_ALIGNMENT, encodeHeader } from './pack-format.ts';
import { sealedRowCount } from './segment.ts';
import type { SealedSegment, Segment } from './segment.ts';

/** A pack is closed once it is this long: what a killed commit can lose, and what gc rewrites at a time. */
export const PACK_BYTES_MAX = 128 * 1024 * 1024;
const PACK_ROWS_MAX = 65_536;
/** A shorter write is done before its promise would be made. */
const LATER_BYTES_MIN = 256 * 1024;

const sync = promisify(fdatasync);

export class PackWriter {
  readonly path: string;
  readonly #fd: number;
  #open = true;
  #position = HEADER_BYTES;
  #segmentStart = HEADER_BYTES;
  #previousTrailer = 0;
  #sealed: SealedSegment[] = [];
  #rowCount = 0;
  #syncing: Promise<void> = Promise.resolve();
  readonly #behind: WriteBehind;

  constructor(path: string) {
    this.path = path;
    try {
      this.#fd = openSync(path, 'wx', 0o444);
      this.#behind = new WriteBehind(this.#fd);
      writeAll(this.#fd, encodeHeader(randomBytes(16), PACK_ALIGNMENT));
    } catch (error) {
      throw fileError(error, path);
    }
  }

  /** Where the open segment begins: all before it is sealed. */
  get sealedBytes(): number {
    return this.#segmentStart;
  }

  get full(): boolean {
    return this.#position >= PACK_BYTES_MAX || this.#rowCount >= PACK_ROWS_MAX;
  }

  get sealed(): readonly SealedSegment[] {
    return this.#sealed;
  }

  /** Takes stored bytes of the open segment, which stay as they are until the promise, if there is one, is settled. */
  write(bytes: Uint8Array): Promise<void> | undefined {
    const position = this.#position;
    this.#position += bytes.length;
    try {
      this.#behind.check();
      if (bytes.length >= LATER_BYTES_MIN && this.#behind.writing === undefined)
        return this.#behind.write(bytes, position);
      writeAll(this.#fd, bytes, position);
    } catch (error) {
      throw fileError(error, this.path);
    }
    return undefined;
  }

  /** Closes the open segment, and starts making it durable in the background. */
  seal(segment: Segment): void {
    if (segment.rowCount === 0) return;
    const { trailer, trailerOffset, sealed } = segment.seal(
      this.#segmentStart,
      this.#previousTrailer,
      PACK_ALIGNMENT,
    );
    void this.write(trailer);
    this.#previousTrailer = trailerOffset;
    this.#segmentStart = this.#position;
    this.#sealed.push(sealed);
    this.#rowCount += sealedRowCount(sealed);
    this.#syncing = Promise.all([this.#syncing, this.#behind.writing]).then(() => sync(this.#fd));
    this.#syncing.catch(() => {}); // Reported by finish.
  }

  /** Waits until all of the pack is durable, and closes it. */
  async finish(): Promise<void> {
    try {
      await this.#syncing;
      this.#behind.check();
    } catch (error) {
      throw fileError(error, this.path);
    } finally {
      await this.#settled();
      this.#close();
    }
  }

  /** Throws the pack away, if it is still in `tmp/`. */
  async drop(): Promise<void> {
    await this.#settled();
    this.#close();
    rmSync(this.path, { force: true });
  }

  // The file may be closed only once nobody writes to it.
  async #settled(): Promise<void> {
    await this.#behind.settled();
    await this.#syncing.catch(() => {});
  }

  #close(): void {
    if (this.#open) closeSync(this.#fd);
    this.#open = false;
  }
}
