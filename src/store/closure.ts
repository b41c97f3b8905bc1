/** Walks what nodes keep alive, straight from the rows of an open database. */
import { ArtError, equalBytes } from '#base';
import { CHUNK, NODE, formatCid, hash, visitStrongLinks } from '#object';
import type { Digest, ObjectId } from '#object';
import { decodeLocation } from './location.ts';
import type { PackReader } from './pack-reader.ts';
import { objectKey } from './records.ts';
import type { Table } from './table.ts';

export interface ClosureVisitor {
  /** Told of each node that a link or a root names; `false` keeps the walk out of it. */
  enter(digest: Digest): boolean;
  /** Told of each chunk that a node names, as often as it is named. */
  chunk(digest: Digest): void;
  /** Told of a node that is absent or damaged. */
  broken(id: ObjectId, why: string): void;
  /** Awaited now and then. */
  pause(): Promise<void> | undefined;
}

const NODES_A_PAUSE = 32;

/** Visits everything below `roots`. The database must stay pinned; `pause` may let it go for a moment. */
export async function walkClosure(
  open: { readonly table: Table },
  packs: PackReader,
  roots: Iterable<Digest> | AsyncIterable<Digest>,
  visitor: ClosureVisitor,
): Promise<void> {
  // Last in, first out: the walk goes deep, so that few links wait at a time.
  const waiting: Digest[] = [];
  const visit = (kind: number, digest: Digest) => {
    if (kind === CHUNK) visitor.chunk(digest);
    else if (visitor.enter(digest)) waiting.push(digest);
  };
  let visited = 0;
  for await (const root of roots) {
    visit(NODE, root);
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const why = visitNode(open.table, packs, next, visit);
      if (why !== undefined) visitor.broken({ kind: NODE, digest: next }, why);
      if (++visited % NODES_A_PAUSE === 0) await visitor.pause();
    }
  }
}

/** Visitor's answer to broken links where nothing may be missing. */
export function refuseBroken(id: ObjectId, why: string): never {
  throw new ArtError('OBJECT_NOT_FOUND', `object ${formatCid(id)} ${why}`);
}

function visitNode(
  table: Table,
  packs: PackReader,
  digest: Digest,
  visit: (kind: 0 | 1, digest: Digest) => void,
): string | undefined {
  const value = table.getSync(objectKey(NODE, digest));
  if (value === undefined) return 'is not in the store';
  try {
    const location = decodeLocation(value);
    const bytes = location.inline ?? packs.read([location])[0];
    if (!equalBytes(hash(bytes), digest)) return 'does not have the bytes of its name';
    visitStrongLinks(bytes, visit);
    return undefined;
  } catch (error) {
    return `cannot be read: ${(error as Error).message}`;
  }
}
