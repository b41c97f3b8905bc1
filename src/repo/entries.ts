/** Reads what is in a version: its entries, and the bytes of one file. */
import { ArtError, suggest, toHex } from '#base';
import {
  CHUNK,
  CHUNK_BYTES_MAX,
  FILE,
  FOLDER,
  REFERENCE,
  SYMLINK,
  decodeFileNode,
  fileRowDigest,
} from '#object';
import type { Digest, MapEntry, ObjectId } from '#object';
import type { ObjectStore } from '#store';
import { entries, find, isEntryPath, keyOfPath, pathOfKey, prefixOf } from '#tree';
import type { Context } from './context.ts';
import { getSpec } from './find.ts';

export interface LsRow {
  readonly path: string;
  readonly kind: 'file' | 'symlink' | 'folder' | 'reference';
  readonly size: number;
  /** The BLAKE3 of the content in hex, as `b3sum` prints it; null for a folder. */
  readonly digest: string | null;
  /** `644` or `755`; null for what is no file. */
  readonly mode: string | null;
  readonly target: string | null;
  readonly uri: string | null;
}

const KINDS = new Map([
  [FILE, 'file'],
  [SYMLINK, 'symlink'],
  [FOLDER, 'folder'],
  [REFERENCE, 'reference'],
] as const);

/** The entries of a version whose path begins with `prefix` (`train/` is that folder), in batches. */
export async function* ls(
  context: Context,
  spec: string,
  prefix?: string,
): AsyncGenerator<readonly LsRow[], void, undefined> {
  const { commit } = await getSpec(context.store, spec);
  const range = prefix === undefined || prefix === '' ? {} : { prefix: prefixOf(prefix) };
  for await (const batch of entries(context.store, commit.tree, range))
    yield await rowsOf(context.store, batch);
}

async function rowsOf(store: ObjectStore, batch: readonly MapEntry[]): Promise<LsRow[]> {
  const large = batch.filter(({ kind, size }) => kind === FILE && size > CHUNK_BYTES_MAX);
  const nodes = large.length === 0 ? [] : await store.getNodes(large.map(({ digest }) => digest));
  let next = 0;
  return batch.map((entry) => {
    const isLarge = entry.kind === FILE && entry.size > CHUNK_BYTES_MAX;
    const content = isLarge ? decodeFileNode(nodes[next++]).root?.content : entry.digest;
    const kind = KINDS.get(entry.kind as typeof FILE);
    if (kind === undefined)
      throw new ArtError('OBJECT_INVALID', `a tree of files has an entry of kind ${entry.kind}`);
    const isFile = entry.kind === FILE;
    return {
      path: pathOfKey(entry.key),
      kind,
      size: entry.size,
      digest: entry.kind === FOLDER || content === undefined ? null : toHex(content),
      mode: isFile ? (entry.executable ? '755' : '644') : null,
      target: entry.kind === SYMLINK ? Buffer.from(entry.extra).toString('utf8') : null,
      uri: null,
    };
  });
}

/**
 * The bytes of one file from `offset` on, at most `length`; every one verified. The pieces are good until the next
 * is asked for. Raises ENTRY_NOT_FOUND, and USAGE for what is no file.
 */
export async function* cat(
  context: Context,
  spec: string,
  path: string,
  range: { readonly offset?: number; readonly length?: number } = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const { store } = context;
  const { commit } = await getSpec(store, spec);
  const entry = isEntryPath(path)
    ? await find(store, commit.tree, keyOfPath(path, { folder: false }))
    : undefined;
  if (entry === undefined) throw await entryNotFound(store, commit.tree, spec, path);
  if (entry.kind !== FILE)
    throw new ArtError(
      'USAGE',
      `"${path}" in ${spec} is no file but a ${KINDS.get(entry.kind as typeof FILE)}`,
    );
  const start = Math.min(range.offset ?? 0, entry.size);
  const end = Math.min(entry.size, start + (range.length ?? Infinity));
  const reader = store.reader();
  for await (const page of chunksOf(store, entry, start, end)) {
    const contents = await reader.getMany(page.map(({ id }) => id));
    for (let i = 0; i < page.length; i++) {
      const { offset } = page[i];
      const from = Math.max(0, start - offset);
      const to = Math.min(contents[i].length, end - offset);
      if (to > from) yield contents[i].subarray(from, to);
    }
  }
}

interface Piece {
  readonly id: ObjectId;
  readonly offset: number;
}

const PAGE_CHUNKS = 64;

// Walks only the nodes that cover the range; pages are small enough to be read at once.
async function* chunksOf(
  store: ObjectStore,
  entry: MapEntry,
  start: number,
  end: number,
): AsyncGenerator<readonly Piece[], void, undefined> {
  if (entry.size <= CHUNK_BYTES_MAX) {
    if (end > start) yield [{ id: { kind: CHUNK, digest: entry.digest }, offset: 0 }];
    return;
  }
  let page: Piece[] = [];
  for await (const piece of walk(store, entry.digest, 0, start, end)) {
    page.push(piece);
    if (page.length < PAGE_CHUNKS) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}

async function* walk(
  store: ObjectStore,
  digest: Digest,
  offset: number,
  start: number,
  end: number,
): AsyncGenerator<Piece, void, undefined> {
  const [bytes] = await store.getNodes([digest]);
  const node = decodeFileNode(bytes);
  let at = offset;
  for (let row = 0; row < node.rows && at < end; row++) {
    const size = node.sizes[row];
    if (at + size > start) {
      const child = fileRowDigest(node, row);
      if (node.level === 0) yield { id: { kind: CHUNK, digest: child }, offset: at };
      else yield* walk(store, child, at, start, end);
    }
    at += size;
  }
}

const SUGGESTED_FROM = 2000;

async function entryNotFound(
  store: ObjectStore,
  tree: Digest,
  spec: string,
  path: string,
): Promise<ArtError> {
  const near: string[] = [];
  for await (const batch of entries(store, tree, {})) {
    near.push(...batch.map(({ key, kind }) => pathOfKey(key) + (kind === FOLDER ? '/' : '')));
    if (near.length >= SUGGESTED_FROM) break;
  }
  const folder = path.endsWith('/') ? path : `${path}/`;
  const inside = near.some((other) => other.startsWith(folder));
  if (inside)
    return new ArtError('USAGE', `"${path}" in ${spec} is a folder`, {
      hint: `\`art ls ${spec} ${folder}\` lists it.`,
    });
  const meant = suggest(path, near);
  return new ArtError(
    'ENTRY_NOT_FOUND',
    `there is no "${path}" in ${spec}`,
    meant === undefined ? {} : { hint: `Did you mean "${meant}"?` },
  );
}
