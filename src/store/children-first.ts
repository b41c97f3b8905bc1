/** Orders nodes so that what a node names comes before it. */
import { DigestTable } from '#base';
import { NODE, visitStrongLinks } from '#object';
import type { Digest } from '#object';
import { decodeLocation } from './location.ts';
import type { PackReader } from './pack-reader.ts';
import { objectKey } from './records.ts';
import type { Table } from './table.ts';

const LOOKS_A_PAUSE = 1000;

/**
 * The nodes of `nodes`, each behind those of them that it names: a depth-first walk, in post-order. The database must
 * stay pinned; `pause` may let it go for a moment.
 */
export async function childrenFirst(
  open: { readonly table: Table },
  packs: PackReader,
  nodes: DigestTable,
  pause: () => Promise<void> | undefined,
): Promise<Digest[]> {
  const order: Digest[] = [];
  const entered = new DigestTable(nodes.size + 1);
  const path: { readonly digest: Digest; readonly children: Digest[] }[] = [];
  const enter = (digest: Digest) => {
    if (!nodes.has(digest) || !entered.add(digest)) return;
    path.push({ digest: Buffer.from(digest), children: childrenOf(open.table, packs, digest) });
  };
  let looks = 0;
  for (const digest of nodes) {
    enter(digest);
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const child = top.children.pop();
      if (child !== undefined) enter(child);
      else order.push(path.pop()!.digest);
      if (++looks % LOOKS_A_PAUSE === 0) await pause();
    }
  }
  return order;
}

function childrenOf(table: Table, packs: PackReader, digest: Digest): Digest[] {
  const children: Digest[] = [];
  const value = table.getSync(objectKey(NODE, digest));
  if (value === undefined) return children;
  try {
    const location = decodeLocation(value);
    visitStrongLinks(location.inline ?? packs.read([location])[0], (kind, child) => {
      if (kind === NODE) children.push(child);
    });
  } catch {
    return children; // Whoever can be damaged without harm names nothing that matters.
  }
  return children;
}
