/** Tells how the content of one changed path differs, reading no more than that takes. */
import { closeSync, lstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { ArtError, ByteWriter, equalBytes, errnoOf, fileError, isArtError, nextTurn } from '#base';
import { TEXT_BYTES_MAX, chunkShares, compareRows, compareText, isTablePath } from '#content';
import type { Bytes, Hunk, RowChanges } from '#content';
import { CHUNK, CHUNK_BYTES_MAX, DIGEST_BYTES, FILE, SYMLINK, decodeFileNode, fileRowDigest } from '#object';
import type { Digest } from '#object';
import type { NodeSource } from '#store';
import { ContentReader, DiskEntry, fileContent } from '#worktree';
import type { Context } from './context.ts';
import type { DiffChange } from './diff.ts';
import type { DiffSide } from './diff-side.ts';

export type ContentChange =
  /** There is nothing to compare, or nothing but the name, the kind or the exec bit differs. */
  | { readonly kind: 'none' }
  | { readonly kind: 'text'; readonly hunks: readonly Hunk[] }
  /** A table: where rows stand does not matter, so both counts can be 0. */
  | ({ readonly kind: 'rows' } & RowChanges)
  /** `similarity` is the share of bytes in common chunks, 0 to 1; null if that is not known. */
  | { readonly kind: 'bytes'; readonly why: 'binary' | 'large'; readonly similarity: number | null }
  | { readonly kind: 'link'; readonly before: string; readonly after: string };

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

  async of({ path, change, before, after }: DiffChange): Promise<ContentChange> {
    if (change !== 'modified' || before === undefined || after === undefined) return { kind: 'none' };
    if (before.kind === SYMLINK && after.kind === SYMLINK) {
      const target =
        this.#folder === undefined ? after.target : this.#diskReader().targetOf(this.#entry(path));
      return { kind: 'link', before: textOf(before.target), after: textOf(target) };
    }
    if (before.kind !== FILE || after.kind !== FILE) return { kind: 'none' };
    if (before.digest !== undefined && after.digest !== undefined && equalBytes(before.digest, after.digest))
      return { kind: 'none' };
    try {
      return await this.#ofFiles(path, before, after);
    } catch (error) {
      // Somebody is writing it, or took it away: that it changed is all that can be said.
      if (isArtError(error, 'FILE_CHANGED') || isArtError(error, 'PATH_NOT_FOUND')) return { kind: 'none' };
      throw error;
    }
  }

  async #ofFiles(path: string, before: DiffSide, after: DiffSide): Promise<ContentChange> {
    const [old, now] = [this.#stored(before), this.#bytesAfter(path, after)];
    const { signal } = this.#context;
    if (isTablePath(path) && before.size + after.size <= TABLE_BYTES_MAX) {
      const quotes = path.toLowerCase().endsWith('.csv');
      const rows = await compareRows(old, now, { quotes, ...(signal && { signal }) });
      if (rows !== undefined) return { kind: 'rows', ...rows };
    }
    let why: 'binary' | 'large' = 'large';
    if (before.size <= TEXT_BYTES_MAX && after.size <= TEXT_BYTES_MAX) {
      const compared = compareText(await whole(old, before.size), await whole(now, after.size));
      if (compared.kind === 'hunks') {
        // Only on a disk can a file be what it was after all: its time changed, its bytes did not.
        return compared.hunks.length === 0 ? { kind: 'none' } : { kind: 'text', hunks: compared.hunks };
      }
      why = compared.kind;
    } else if (await this.#beginsBinary(old, now)) why = 'binary';
    return { kind: 'bytes', why, similarity: await this.#similarity(path, before, after) };
  }

  async #beginsBinary(...contents: readonly Bytes[]): Promise<boolean> {
    for (const content of contents) {
      for await (const piece of content()) {
        if (piece.subarray(0, 8000).includes(0)) return true;
        break;
      }
    }
    return false;
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

  #diskReader(): ContentReader {
    return (this.#reader ??= new ContentReader());
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

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}
