/** Fills one new pack in `tmp/`, outside any lock. */
import { closeSync, fdatasync, openSync, rmSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { fileError, writeAll } from '#base';
import { HEADER_BYTES, PACK_ALIGNMENT, encodeHeader } from './pack-format.ts';
import { sealedRowCount } from './segment.ts';
import type { SealedSegment, Segment } from './segment.ts';

/** A pack is closed once it is this long: what a killed commit can lose, and what gc rewrites at a time. */
export const PACK_BYTES_MAX = 128 * 1024 * 1024;
const PACK_ROWS_MAX = 65_536;

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

  constructor(path: string) {
    this.path = path;
    try {
      this.#fd = openSync(path, 'wx', 0o444);
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

  /** Takes stored bytes of the open segment. */
  write(bytes: Uint8Array): void {
    try {
      writeAll(this.#fd, bytes, this.#position);
    } catch (error) {
      throw fileError(error, this.path);
    }
    this.#position += bytes.length;
  }

  /** Closes the open segment, and starts making it durable in the background. */
  seal(segment: Segment): void {
    if (segment.rowCount === 0) return;
    const { trailer, trailerOffset, sealed } = segment.seal(
      this.#segmentStart,
      this.#previousTrailer,
      PACK_ALIGNMENT,
    );
    this.write(trailer);
    this.#previousTrailer = trailerOffset;
    this.#segmentStart = this.#position;
    this.#sealed.push(sealed);
    this.#rowCount += sealedRowCount(sealed);
    this.#syncing = this.#syncing.then(() => sync(this.#fd));
    this.#syncing.catch(() => {}); // Reported by finish.
  }

  /** Waits until all of the pack is durable, and closes it. */
  async finish(): Promise<void> {
    try {
      await this.#syncing;
    } catch (error) {
      throw fileError(error, this.path);
    } finally {
      this.#close();
    }
  }

  /** Throws the pack away, if it is still in `tmp/`. */
  async drop(): Promise<void> {
    await this.#syncing.catch(() => {});
    this.#close();
    rmSync(this.path, { force: true });
  }

  #close(): void {
    if (this.#open) closeSync(this.#fd);
    this.#open = false;
  }
}
