/** Tells how the content of one changed path differs, reading no more than that takes. */
import { closeSync, lstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { ArtError, ByteWriter, equalBytes, errnoOf, fileError, isArtError, nextTurn } from '#base';
import { TEXT_BYTES_MAX, beginsBinary, chunkShares, compareRows, compareText, isTablePath } from '#content';
import type { Bytes, Hunk, RowChanges } from '#content';
import { CHUNK, CHUNK_BYTES_MAX, DIGEST_BYTES, FILE, SYMLINK, decodeFileNode, fileRowDigest } from '#object';
import type { Digest } from '#object';
import type { NodeSource } from '#store';
import { ContentReader, DiskEntry, fileContent } from '#worktree';
import type { Context } from './context.ts';
import type { DiffChange } from './diff.ts';
import type { DiffSide } from './diff-side.ts';

export type ContentChange =
  /** There is nothing to tell: no content, or nothing but the name, the kind or the exec bit differs. */
  | { readonly kind: 'none' }
  | { readonly kind: 'text'; readonly hunks: readonly Hunk[] }
  /** A table: where rows stand does not matter, so both counts can be 0, and `look` says what differs. */
  | ({ readonly kind: 'rows' } & RowChanges)
  /** `similarity` is the share of bytes in common chunks, 0 to 1; null if that is not known, or one side is absent. */
  | { readonly kind: 'bytes'; readonly why: 'binary' | 'large'; readonly similarity: number | null }
  | { readonly kind: 'link'; readonly before: string | null; readonly after: string | null };

/** Tables longer than this, both sides together, are compared by chunks only. */
const TABLE_BYTES_MAX = 4 * 1024 ** 3;
/** A file on the disk longer than this is not cut into chunks for the sake of its similarity. */
const CHUNKED_BYTES_MAX = 16 * 1024 ** 3;
const PIECE_BYTES = 256 * 1024;
const PIECES_A_TURN = 16;

export class DiffContent {
  readonly #context: Context;
  /** Where the side `after` lies, if it is a folder. */
  readonly #folder: string | undefined;
  #reader: ContentReader | undefined;
  #bytesRead = 0;

  constructor(context: Context, folder: string | undefined) {
    this.#context = context;
    this.#folder = folder;
  }

  /** What was added differs from nothing, and so does what was removed; a rename changes no content. */
  async of({ path, change, before, after }: DiffChange): Promise<ContentChange> {
    const kind = (before ?? after)!.kind;
    if (change === 'renamed' || (before && after && before.kind !== after.kind)) return { kind: 'none' };
    try {
      if (kind === SYMLINK)
        return {
          kind: 'link',
          before: linkText(before?.target),
          after: linkText(this.#targetAfter(path, after)),
        };
      if (kind !== FILE) return { kind: 'none' };
      if (before?.digest && after?.digest && equalBytes(before.digest, after.digest)) return { kind: 'none' };
      return await this.#ofFiles(path, before, after);
    } catch (error) {
      // Somebody is writing it, or took it away: that it changed is all that can be said.
      if (isArtError(error, 'FILE_CHANGED') || isArtError(error, 'PATH_NOT_FOUND')) return { kind: 'none' };
      throw error;
    }
  }

  async #ofFiles(
    path: string,
    before: DiffSide | undefined,
    after: DiffSide | undefined,
  ): Promise<ContentChange> {
    const [old, now] = [
      before ? this.#stored(before) : nothing,
      after ? this.#bytesAfter(path, after) : nothing,
    ];
    const [oldSize, nowSize] = [before?.size ?? 0, after?.size ?? 0];
    const isText = oldSize <= TEXT_BYTES_MAX && nowSize <= TEXT_BYTES_MAX;
    let why: 'binary' | 'large' = 'large';
    if ((isTablePath(path) || !isText) && ((await startsBinary(old)) || (await startsBinary(now))))
      why = 'binary';
    else if (isTablePath(path) && oldSize + nowSize <= TABLE_BYTES_MAX) {
      const rows = await this.#rowsOf(path, old, now);
      if (rows !== undefined) return rows;
    } else if (isText) {
      const compared = compareText(await whole(old, oldSize), await whole(now, nowSize));
      if (compared.kind === 'hunks') {
        // Only on a disk can a file be what it was after all: its time changed, its bytes did not.
        return compared.hunks.length === 0 ? { kind: 'none' } : { kind: 'text', hunks: compared.hunks };
      }
      why = compared.kind;
    }
    const similarity = before && after ? await this.#similarity(path, before, after) : null;
    return { kind: 'bytes', why, similarity };
  }

  /** Undefined if there are too many rows. */
  async #rowsOf(path: string, old: Bytes, now: Bytes): Promise<ContentChange | undefined> {
    const { signal } = this.#context;
    const quotes = path.toLowerCase().endsWith('.csv');
    const rows = await compareRows(old, now, { quotes, ...(signal && { signal }) });
    if (rows === undefined) return undefined;
    const { added, removed, look } = rows;
    const isSame = added + removed === 0 && !look?.order && !look?.lineEnds && look?.blankLines === 0;
    return isSame ? { kind: 'none' } : { kind: 'rows', ...rows };
  }

  async #similarity(path: string, before: DiffSide, after: DiffSide): Promise<number | null> {
    const { store } = this.#context;
    if (this.#folder !== undefined && after.size > CHUNKED_BYTES_MAX) return null;
    const old = storedChunks(store, before.digest!, before.size);
    const now =
      after.digest === undefined ? this.#diskChunks(path) : storedChunks(store, after.digest, after.size);
    return (await chunkShares(old, now)) ?? null;
  }

  #stored({ digest, size }: DiffSide): Bytes {
    const { store } = this.#context;
    return this.#counted(async function* () {
      const reader = store.reader();
      if (size <= CHUNK_BYTES_MAX) yield* await reader.getMany([{ kind: CHUNK, digest: digest! }]);
      else for await (const pieces of fileContent({ source: store, reader }, digest!, size)) yield* pieces;
    });
  }

  /** The content, and the bytes of it told as they are read. */
  #counted(content: Bytes): Bytes {
    const count = (bytes: number) => this.#count(bytes);
    return async function* () {
      for await (const piece of content()) {
        count(piece.length);
        yield piece;
      }
    };
  }

  #count(bytes: number): void {
    this.#bytesRead += bytes;
    this.#context.onProgress?.({ files: 0, bytes: this.#bytesRead });
  }

  #bytesAfter(path: string, after: DiffSide): Bytes {
    if (this.#folder === undefined) return this.#stored(after);
    const absolute = join(this.#folder, path);
    return this.#counted(() => diskBytes(absolute));
  }

  async *#diskChunks(path: string): ChunkGenerator {
    // 36 bytes a chunk: 10 MB for the longest file that is read for this.
    const found = new ByteWriter();
    const reader = new ContentReader({
      sink: {
        chunk: (digest, bytes) => {
          found.bytes(digest).u32(bytes.length);
          this.#count(bytes.length);
        },
        node: () => {},
      },
      pause: () => nextTurn(),
      ...(this.#context.signal && { signal: this.#context.signal }),
    });
    await reader.digestOf(this.#entry(path));
    const rows = Buffer.from(found.view());
    for (let at = 0; at < rows.length; at += DIGEST_BYTES + 4) {
      const digest = rows.subarray(at, at + DIGEST_BYTES) as Digest;
      yield [{ digest, length: rows.readUInt32LE(at + DIGEST_BYTES) }];
    }
  }

  #entry(path: string): DiskEntry {
    const absolute = join(this.#folder!, path);
    const entry = new DiskEntry(path, absolute, FILE);
    try {
      entry.learn(lstatSync(absolute));
    } catch (error) {
      throw fileError(error, absolute);
    }
    return entry;
  }

  #targetAfter(path: string, after: DiffSide | undefined): Uint8Array | undefined {
    if (after === undefined || this.#folder === undefined) return after?.target;
    return (this.#reader ??= new ContentReader()).targetOf(this.#entry(path));
  }
}

type ChunkGenerator = AsyncGenerator<readonly { readonly digest: Digest; readonly length: number }[], void>;

/** The chunks of a stored file, from its nodes alone. */
async function* storedChunks(source: NodeSource, digest: Digest, size: number): ChunkGenerator {
  if (size <= CHUNK_BYTES_MAX) {
    yield [{ digest, length: size }];
    return;
  }
  const [bytes] = await source.getNodes([digest]);
  const node = decodeFileNode(bytes);
  const rows = Array.from({ length: node.rows }, (_, row) => row);
  if (node.level === 0)
    yield rows.map((row) => ({ digest: fileRowDigest(node, row), length: node.sizes[row] }));
  else for (const row of rows) yield* storedNode(source, fileRowDigest(node, row));
}

async function* storedNode(source: NodeSource, digest: Digest): ChunkGenerator {
  // Any size past that of one chunk says that the digest names a node.
  yield* storedChunks(source, digest, CHUNK_BYTES_MAX + 1);
}

/** The content of a side that is absent. */
const nothing: Bytes = async function* () {};

async function startsBinary(content: Bytes): Promise<boolean> {
  for await (const piece of content()) return beginsBinary(piece);
  return false;
}

/** Views of one buffer, each good until the next. */
async function* diskBytes(absolute: string): AsyncGenerator<Uint8Array, void> {
  const buffer = Buffer.allocUnsafe(PIECE_BYTES);
  let fd: number;
  try {
    fd = openSync(absolute, 'r');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') throw fileError(error, absolute);
    throw new ArtError('FILE_UNREADABLE', `cannot read ${JSON.stringify(absolute)} (${errnoOf(error)})`, {
      cause: error,
    });
  }
  try {
    for (let pieces = 1; ; pieces++) {
      const got = readSync(fd, buffer, 0, buffer.length, null);
      if (got === 0) return;
      yield buffer.subarray(0, got);
      if (pieces % PIECES_A_TURN === 0) await nextTurn();
    }
  } finally {
    closeSync(fd);
  }
}

/** Raises FILE_CHANGED if there is more of it than `sizeMax`. */
async function whole(content: Bytes, sizeMax: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of content()) {
    bytes += piece.length;
    if (bytes > sizeMax) throw new ArtError('FILE_CHANGED', 'a file grows while it is compared');
    pieces.push(Buffer.from(piece));
  }
  return Buffer.concat(pieces);
}

function linkText(target: Uint8Array | undefined): string | null {
  return target === undefined ? null : Buffer.from(target).toString('utf8');
}
