/** Reads objects out of packs by place: neighbours in one read, frames decompressed once. */
import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { ArtError, equalBytes, errnoOf, fileError, isArtError } from '#base';
import { hash } from '#object';
import type { Digest, ObjectId } from '#object';
import { CODEC_NONE, decompress } from './compression.ts';
import { FrameCache, type CachedFrame } from './frame-cache.ts';
import type { Location } from './location.ts';
import type { ReadMemory, StoredFrame } from './object-store.ts';
import { packName } from './pack-files.ts';
import { FRAME_RAW_MAX } from './pack-format.ts';

const OPEN_PACKS_MAX = 64;
/** Plain objects of one pack with at most this much between them are read together. */
const GAP_BYTES_MAX = 16 * 1024;
const READ_BYTES_MAX = 4 * 1024 * 1024;

/** The pack that a place names is not there any more: look the object up again. */
export class PackGone extends Error {}

/** What one reader gave out last: it stays as it is until that one reads again, whatever others read. */
export class Given {
  #memory = Buffer.allocUnsafeSlow(0);
  readonly #frames: CachedFrame[] = [];

  memory(bytes: number): Buffer {
    if (this.#memory.length < bytes)
      this.#memory = Buffer.allocUnsafeSlow(Math.max(bytes, 2 * this.#memory.length));
    return this.#memory;
  }

  hold(frame: CachedFrame): void {
    if (this.#frames.at(-1) === frame) return;
    frame.uses++;
    this.#frames.push(frame);
  }

  release(): void {
    for (const frame of this.#frames) frame.uses--;
    this.#frames.length = 0;
  }
}

export class PackReader {
  readonly #folder: string;
  readonly #fds = new Map<number, number>();
  readonly #frames = new FrameCache();
  readonly #given = new Given();
  /** For a frame as it is stored, and as it is. */
  #stored = Buffer.allocUnsafeSlow(0);
  #raw = Buffer.allocUnsafeSlow(0);

  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * The bytes at `locations`, in their order; views that stay valid until the next call for the same `given`, those into
   * `memory` as long as that. Not verified.
   */
  read(
    locations: readonly Location[],
    given = this.#given,
    memory: ReadMemory = (bytes) => given.memory(bytes),
  ): Uint8Array[] {
    given.release();
    const found = new Array<Uint8Array>(locations.length);
    const plain: number[] = [];
    let plainBytes = 0;
    locations.forEach((location, i) => {
      if (location.inline !== undefined) found[i] = location.inline;
      else if (location.codec !== CODEC_NONE) found[i] = this.#fromFrame(location, given);
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
    this.#raw = enough(this.#raw, rawBytes);
    const raw = this.#raw.subarray(0, rawBytes);
    try {
      this.#readExactly(pack, stored, offset);
      decompress(stored, raw);
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
  }

  /** Forgets a pack, so that a file of that name is opened and read anew. */
  forget(pack: number): void {
    this.#closeFile(pack);
    this.#frames.forget(`${pack}:`);
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
        found[plain[i]] = new Uint8Array(run.buffer, run.byteOffset + offset - first.offset, bytes);
      }
      used += run.length;
    }
  }

  #fromFrame({ pack, offset, storedBytes, rawBytes, inFrame, bytes }: Location, given: Given): Uint8Array {
    const frame = this.#frames.get(`${pack}:${offset}`, rawBytes, (into) => {
      this.#stored = enough(this.#stored, storedBytes);
      const stored = this.#stored.subarray(0, storedBytes);
      this.#readExactly(pack, stored, offset);
      decompress(stored, into);
    });
    given.hold(frame);
    return frame.bytes.subarray(inFrame, inFrame + bytes);
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

/** `memory` if it is that long, else other memory that is. */
function enough(memory: Buffer<ArrayBuffer>, bytes: number): Buffer<ArrayBuffer> {
  return memory.length >= bytes ? memory : Buffer.allocUnsafeSlow(Math.max(bytes, FRAME_RAW_MAX));
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
