/** Reads objects out of packs by place: neighbours in one read, frames decompressed once. */
import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { ArtError, equalBytes, errnoOf, fileError, isArtError } from '#base';
import { hash } from '#object';
import type { Digest, ObjectId } from '#object';
import { CODEC_NONE, decompress } from './compression.ts';
import type { Location } from './location.ts';
import type { ReadMemory, StoredFrame } from './object-store.ts';
import { packName } from './pack-files.ts';

const OPEN_PACKS_MAX = 64;
const FRAME_CACHE_BYTES = 16 * 1024 * 1024;
/** Plain objects of one pack with at most this much between them are read together. */
const GAP_BYTES_MAX = 16 * 1024;
/** As long as most frames can be. */
const STORED_BYTES = 512 * 1024;
const READ_BYTES_MAX = 4 * 1024 * 1024;

/** The pack that a place names is not there any more: look the object up again. */
export class PackGone extends Error {}

export class PackReader {
  readonly #folder: string;
  readonly #fds = new Map<number, number>();
  readonly #frames = new Map<string, Uint8Array>();
  #frameBytes = 0;
  #scratch = Buffer.allocUnsafeSlow(0);
  /** For a frame as it is stored. */
  #stored = Buffer.allocUnsafeSlow(0);

  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * The bytes at `locations`, in their order; views that stay valid until the next call, those into `memory` as long as
   * that. Not verified.
   */
  read(locations: readonly Location[], memory: ReadMemory = (bytes) => this.#scratchOf(bytes)): Uint8Array[] {
    const found = new Array<Uint8Array>(locations.length);
    const plain: number[] = [];
    let plainBytes = 0;
    locations.forEach((location, i) => {
      if (location.inline !== undefined) found[i] = location.inline;
      else if (location.codec !== CODEC_NONE) found[i] = this.#fromFrame(location);
      else {
        plain.push(i);
        plainBytes += location.bytes + GAP_BYTES_MAX;
      }
    });
    if (plain.length > 0) this.#readPlain(locations, plain, memory(plainBytes), found);
    return found;
  }

  /** The bytes of `ids` at their `locations`, verified; undefined where they cannot be had. Views as `read` gives. */
  readWhole(
    ids: readonly { readonly digest: Digest }[],
    locations: readonly Location[],
  ): (Uint8Array | undefined)[] {
    let contents: readonly (Uint8Array | undefined)[];
    try {
      contents = this.read(locations);
    } catch (error) {
      if (!isDamage(error)) throw error;
      contents = locations.map((location) => this.#readOne(location));
    }
    return contents.map((bytes, i) =>
      bytes !== undefined && equalBytes(hash(bytes), ids[i].digest) ? bytes : undefined,
    );
  }

  /**
   * The frame that `ids` fill in the order of their `locations`, read into `memory`; each is verified. Undefined if some
   * cannot be had from it.
   */
  readFrame(
    ids: readonly ObjectId[],
    locations: readonly Location[],
    memory: ReadMemory,
  ): StoredFrame | undefined {
    const { pack, offset, storedBytes, rawBytes, codec } = locations[0];
    const stored = memory(storedBytes).subarray(0, storedBytes);
    let raw: Uint8Array;
    try {
      this.#readExactly(pack, stored, offset);
      raw = decompress(stored, rawBytes);
    } catch (error) {
      if (!isDamage(error)) throw error;
      return undefined;
    }
    const verified = locations.every(({ inFrame, bytes }, i) =>
      equalBytes(hash(raw.subarray(inFrame, inFrame + bytes)), ids[i].digest),
    );
    if (!verified) return undefined;
    return { ids, lengths: locations.map(({ bytes }) => bytes), rawBytes, codec, stored };
  }

  close(): void {
    for (const fd of this.#fds.values()) closeSync(fd);
    this.#fds.clear();
    this.#frames.clear();
    this.#frameBytes = 0;
  }

  /** Forgets a pack, so that a file of that name is opened and read anew. */
  forget(pack: number): void {
    this.#closeFile(pack);
    for (const [key, bytes] of this.#frames) {
      if (!key.startsWith(`${pack}:`)) continue;
      this.#frames.delete(key);
      this.#frameBytes -= bytes.length;
    }
  }

  #closeFile(pack: number): void {
    const fd = this.#fds.get(pack);
    if (fd !== undefined) closeSync(fd);
    this.#fds.delete(pack);
  }

  // A copy, because the next read would overwrite it.
  #readOne(location: Location): Uint8Array | undefined {
    try {
      return Buffer.from(this.read([location])[0]);
    } catch (error) {
      if (!isDamage(error)) throw error;
      return undefined;
    }
  }

  #scratchOf(bytes: number): Buffer {
    if (this.#scratch.length < bytes)
      this.#scratch = Buffer.allocUnsafeSlow(Math.max(bytes, 2 * READ_BYTES_MAX));
    return this.#scratch;
  }

  #readPlain(locations: readonly Location[], plain: number[], memory: Buffer, found: Uint8Array[]): void {
    plain.sort((a, b) => locations[a].pack - locations[b].pack || locations[a].offset - locations[b].offset);
    let used = 0;
    for (let i = 0; i < plain.length;) {
      const first = locations[plain[i]];
      let end = first.offset + first.bytes;
      let j = i + 1;
      for (; j < plain.length; j++) {
        const next = locations[plain[j]];
        if (
          next.pack !== first.pack ||
          next.offset > end + GAP_BYTES_MAX ||
          next.offset + next.bytes - first.offset > READ_BYTES_MAX
        )
          break;
        end = Math.max(end, next.offset + next.bytes);
      }
      const run = memory.subarray(used, used + end - first.offset);
      this.#readExactly(first.pack, run, first.offset);
      for (; i < j; i++) {
        const { offset, bytes } = locations[plain[i]];
        found[plain[i]] = run.subarray(offset - first.offset, offset - first.offset + bytes);
      }
      used += run.length;
    }
  }

  #fromFrame(location: Location): Uint8Array {
    const key = `${location.pack}:${location.offset}`;
    let frame = this.#frames.get(key);
    if (frame === undefined) {
      if (this.#stored.length < location.storedBytes)
        this.#stored = Buffer.allocUnsafeSlow(Math.max(location.storedBytes, STORED_BYTES));
      const stored = this.#stored.subarray(0, location.storedBytes);
      this.#readExactly(location.pack, stored, location.offset);
      frame = decompress(stored, location.rawBytes);
      this.#frames.set(key, frame);
      this.#frameBytes += frame.length;
      // Oldest first; views already handed out keep their own hold on the bytes.
      for (const [oldest, bytes] of this.#frames) {
        if (this.#frameBytes <= FRAME_CACHE_BYTES) break;
        this.#frames.delete(oldest);
        this.#frameBytes -= bytes.length;
      }
    }
    return frame.subarray(location.inFrame, location.inFrame + location.bytes);
  }

  #readExactly(pack: number, into: Buffer, position: number): void {
    const fd = this.#open(pack);
    let done = 0;
    while (done < into.length) {
      const read = readSync(fd, into, done, into.length - done, position + done);
      if (read <= 0) throw new ArtError('PACK_CORRUPT', `pack ${packName(pack, 'pack')} ends too early`);
      done += read;
    }
  }

  #open(pack: number): number {
    let fd = this.#fds.get(pack);
    if (fd !== undefined) return fd;
    fd =
      openEither(join(this.#folder, packName(pack, 'pack'))) ??
      openEither(join(this.#folder, packName(pack, 'journal')));
    if (fd === undefined) throw new PackGone(`pack ${pack} is gone`);
    if (this.#fds.size >= OPEN_PACKS_MAX) this.#closeFile(this.#fds.keys().next().value!);
    this.#fds.set(pack, fd);
    return fd;
  }
}

function isDamage(error: unknown): boolean {
  return error instanceof PackGone || isArtError(error, 'PACK_CORRUPT');
}

function openEither(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw fileError(error, path);
  }
}
