/** Walks what nodes keep alive, straight from the rows of an open database. */
import { equalBytes } from '#base';
import { CHUNK, NODE, decodeCommit, hash, nodeKindOf, visitStrongLinks } from '#object';
import type { Digest, ObjectId } from '#object';
import { decodeLocation } from './location.ts';
import type { RecordSource } from './object-store.ts';
import type { PackReader } from './pack-reader.ts';
import { objectKey } from './records.ts';
import type { Table } from './table.ts';

/** Tells whether a remote has promised what is absent below commits and the trees that roots are. */
export type Promised = (source: RecordSource) => Promise<boolean>;

export interface ClosureVisitor {
  /** Told of each node that a link or a root names; `false` keeps the walk out of it. */
  enter(digest: Digest): boolean;
  /** Told of each chunk that a node names, as often as it is named. */
  chunk(digest: Digest): void;
  /** Told of a node that is absent or damaged; `promisable` if it is absent and no history, which is always here. */
  broken(id: ObjectId, why: string, how: { readonly promisable: boolean }): void;
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
  const waiting: Waiting[] = [];
  const visit: Visit = (kind, digest, isHistory) => {
    if (kind === CHUNK) visitor.chunk(digest);
    else if (visitor.enter(digest)) waiting.push({ digest, isHistory });
  };
  let visited = 0;
  for await (const root of roots) {
    visit(NODE, root, false);
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const broken = visitNode(open.table, packs, next, visit);
      if (broken !== undefined) {
        // A root is there because it was found here: a folder's tree, a state.
        const promisable = broken.absent && !next.isHistory && next.digest !== root;
        visitor.broken({ kind: NODE, digest: next.digest }, broken.why, { promisable });
      }
      if (++visited % NODES_A_PAUSE === 0) await visitor.pause();
    }
  }
}

interface Waiting {
  readonly digest: Digest;
  /** Named by a state, or on the way from there to commits and their metadata. */
  readonly isHistory: boolean;
}

type Visit = (kind: 0 | 1, digest: Digest, isHistory: boolean) => void;

function visitNode(
  table: Table,
  packs: PackReader,
  { digest, isHistory }: Waiting,
  visit: Visit,
): { readonly why: string; readonly absent: boolean } | undefined {
  const value = table.getSync(objectKey(NODE, digest));
  if (value === undefined) return { why: 'is not in the store', absent: true };
  try {
    const location = decodeLocation(value);
    const bytes = location.inline ?? packs.read([location])[0];
    if (!equalBytes(hash(bytes), digest))
      return { why: 'does not have the bytes of its name', absent: false };
    const below = isHistoryBelow(bytes, isHistory);
    visitStrongLinks(bytes, (kind, child) => visit(kind, child, below(child)));
    return undefined;
  } catch (error) {
    return { why: `cannot be read: ${(error as Error).message}`, absent: false };
  }
}

/** Whether what a node names is history too: all below a state, down to commits; of those, their metadata. */
function isHistoryBelow(bytes: Uint8Array, isHistory: boolean): (child: Digest) => boolean {
  switch (nodeKindOf(bytes)) {
    case 'state':
      return () => true;
    case 'commit': {
      const { tree } = decodeCommit(bytes);
      return (child) => !equalBytes(child, tree);
    }
    case 'treeLeaf':
    case 'treeInner':
      return () => isHistory;
    default:
      return () => false;
  }
}
