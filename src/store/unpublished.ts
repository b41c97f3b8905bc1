/** Collects the objects of one pack until they are published: their bytes, which they are, what LevelDB also gets. */
import { ByteWriter, DigestTable } from '#base';
import { CHUNK, NODE } from '#object';
import type { Digest, ObjectKind } from '#object';
import { isInline } from './location.ts';
import type { ArrivedFrame } from './object-store.ts';
import { JOURNAL_ALIGNMENT } from './pack-format.ts';
import type { RowKind } from './pack-format.ts';
import { PackWriter } from './pack-writer.ts';
import { Segment } from './segment.ts';

/** Bytes of nodes and tiny chunks that wait in memory for their rows in LevelDB. */
const INLINE_BYTES_MAX = 8 * 1024 * 1024;

export class Unpublished {
  /** Called once, when there is more than memory should hold. */
  newPackPath: () => string;
  readonly #digests: Record<ObjectKind, DigestTable> = {
    [CHUNK]: new DigestTable(4096),
    [NODE]: new DigestTable(256),
  };
  /** What trees may read back before it is published, and where each begins and ends in it. */
  readonly #nodeBytes = new ByteWriter(64 * 1024);
  readonly #nodes = new Map<string, readonly [number, number]>();
  readonly #segment = new Segment((bytes) => this.#drain(bytes));
  #inlineBytes = 0;
  #pack: PackWriter | undefined;
  /** Where stored bytes go while the segment is being journaled instead of packed. */
  #journaled: Uint8Array[] | undefined;

  constructor(newPackPath: () => string) {
    this.newPackPath = newPackPath;
  }

  get storedBytes(): number {
    return (this.#pack?.sealedBytes ?? 0) + this.#segment.storedBytes;
  }

  /** Whether there is so much that it should be published before more is put. */
  get full(): boolean {
    if (this.#pack?.full === true || this.#inlineBytes >= INLINE_BYTES_MAX) return true;
    return this.#journaled !== undefined && this.#segment.full;
  }

  get empty(): boolean {
    return this.#pack === undefined && this.#segment.rowCount === 0;
  }

  /** Whether some of it is in a pack already. */
  get packed(): boolean {
    return this.#pack !== undefined;
  }

  has(kind: ObjectKind, digest: Digest): boolean {
    return this.#digests[kind].has(digest);
  }

  put(kind: ObjectKind, digest: Digest, bytes: Uint8Array): void {
    this.#digests[kind].add(digest);
    this.#segment.put(kind, digest, bytes);
    if (isInline({ kind, bytes: bytes.length })) this.#inlineBytes += bytes.length;
    if (kind === NODE) this.#keepNode(digest, bytes);
    if (this.#segment.full && this.#journaled === undefined) this.#packNow().seal(this.#segment);
  }

  /** Takes a frame of chunks; its bytes are copied or written before this returns. */
  putFrame(frame: ArrivedFrame): void {
    for (const { digest } of frame.ids) this.#digests[CHUNK].add(digest);
    this.#segment.putFrame(frame);
    for (const { length } of frame.inline) this.#inlineBytes += length;
    if (this.#segment.full && this.#journaled === undefined) this.#packNow().seal(this.#segment);
  }

  /** A copy of the bytes of a node that was put here. */
  node(digest: Digest): Uint8Array | undefined {
    const place = this.#nodes.get(keyOf(digest));
    return place && Buffer.from(this.#nodeBytes.view().subarray(...place));
  }

  /** Puts all of it into the pack and closes that; `finish` of it makes it durable. */
  toPack(): PackWriter {
    const pack = this.#packNow();
    // What was held for the journal is the segment's beginning, and a pack that comes so late has no other yet.
    for (const part of this.#journaled ?? []) void pack.write(part);
    this.#journaled = undefined;
    pack.seal(this.#segment);
    return pack;
  }

  /** Keeps what comes from now on in memory, for the journal. */
  holdForJournal(): void {
    this.#journaled ??= [];
  }

  /** Gives all of it as one journal segment that begins at `start`; `lists` are rows that are no objects. */
  toJournal(
    start: number,
    lists: readonly { readonly kind: RowKind; readonly digest: Digest; readonly bytes: Uint8Array }[],
  ) {
    for (const { kind, digest, bytes } of lists) this.#segment.put(kind, digest, bytes);
    const { trailer, sealed } = this.#segment.seal(start, 0, JOURNAL_ALIGNMENT);
    const parts = [...(this.#journaled ?? []), trailer];
    return { parts, sealed, end: start + parts.reduce((sum, part) => sum + part.length, 0) };
  }

  /** Makes `storedBytes` exact. */
  settle(): void {
    this.#segment.settle();
  }

  async drop(): Promise<void> {
    this.#segment.drop();
    await this.#pack?.drop();
  }

  /** Makes it empty once it is published. Its memory serves again: taken anew each time, it would lie in pieces. */
  clear(): void {
    this.#digests[CHUNK].clear();
    this.#digests[NODE].clear();
    this.#nodes.clear();
    this.#nodeBytes.clear();
    this.#inlineBytes = 0;
    this.#pack = undefined;
    this.#journaled = undefined;
  }

  #keepNode(digest: Digest, bytes: Uint8Array): void {
    const start = this.#nodeBytes.length;
    this.#nodeBytes.bytes(bytes);
    this.#nodes.set(keyOf(digest), [start, start + bytes.length]);
  }

  #packNow(): PackWriter {
    return (this.#pack ??= new PackWriter(this.newPackPath()));
  }

  #drain(bytes: Uint8Array): Promise<void> | undefined {
    if (this.#journaled === undefined) return this.#packNow().write(bytes);
    this.#journaled.push(Buffer.from(bytes));
    return undefined;
  }
}

function keyOf(digest: Digest): string {
  return Buffer.from(digest.buffer, digest.byteOffset, digest.length).toString('latin1');
}
