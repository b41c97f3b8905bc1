/** Compares two maps: reads only what differs, and never what both have by the same name. */
import { compareBytes, equalBytes } from '#base';
import type { Digest, MapEntry } from '#object';
import type { NodeSource } from '#store';
import { decodeTreeNode } from '#object';
import { READ_AHEAD } from './nodes.ts';
import { spanOf } from './range.ts';
import type { MapRange } from './range.ts';
import { Side } from './side.ts';

/** A key whose entry differs: `before` is absent if it was added, `after` if it was removed. */
export interface MapChange {
  readonly key: Uint8Array;
  readonly before: MapEntry | undefined;
  readonly after: MapEntry | undefined;
}

/** A batch is yielded once it is this long. */
const BATCH = 512;

/**
 * Yields what differs within `range` between two maps (undefined: the empty map), in key order, in batches none of which
 * is empty. Entries are views of their leaf. Raises OBJECT_INVALID for a tree that contradicts itself.
 */
export async function* diff(
  source: NodeSource,
  before: Digest | undefined,
  after: Digest | undefined,
  range?: MapRange,
): AsyncGenerator<readonly MapChange[], void, undefined> {
  if (before !== undefined && after !== undefined && equalBytes(before, after)) return;
  const read = await source.getNodes([before, after].filter((digest) => digest !== undefined));
  const span = spanOf(range);
  const old = new Side(before === undefined ? undefined : decodeTreeNode(read[0]), span);
  const now = new Side(after === undefined ? undefined : decodeTreeNode(read.at(-1)!), span);
  let batch: MapChange[] = [];
  for (;;) {
    const toOpen = compareOn(old, now, batch);
    if (batch.length >= BATCH || (toOpen === undefined && batch.length > 0)) {
      yield batch;
      batch = [];
    }
    if (toOpen === undefined) return;
    if (toOpen.length > 0) await openAll(source, toOpen, toOpen[0] === old ? now : old);
  }
}

/** Goes on until a batch is full (gives nothing to open), a node must be opened (gives whose), or both ended. */
function compareOn(old: Side, now: Side, batch: MapChange[]): readonly Side[] | undefined {
  while (batch.length < BATCH) {
    old.passSame(now);
    const [oldKey, nowKey] = [old.key, now.key];
    if (oldKey === undefined && nowKey === undefined) return undefined;
    const order = oldKey === undefined ? 1 : nowKey === undefined ? -1 : compareBytes(oldKey, nowKey);
    if (order !== 0) {
      // The lesser one has nothing to be the same as: open it down to its entries, which only it has.
      const lesser = order < 0 ? old : now;
      if (lesser.level >= 0) return [lesser];
      batch.push(changeOf(order < 0 ? old : undefined, order < 0 ? undefined : now));
      lesser.pass();
    } else if (old.sameNode(now)) {
      old.pass();
      now.pass();
    } else if (old.level !== now.level) {
      return [old.level > now.level ? old : now];
    } else if (old.level >= 0) {
      return [old, now];
    } else {
      const [{ leaf, row }, other] = [old.entry, now.entry];
      if (!leaf.sameValue(row, other.leaf, other.row)) batch.push(changeOf(old, now));
      old.pass();
      now.pass();
    }
  }
  return [];
}

function changeOf(old: Side | undefined, now: Side | undefined): MapChange {
  const before = old?.entry.leaf.entryAt(old.entry.row);
  const after = now?.entry.leaf.entryAt(now.entry.row);
  return { key: (before ?? after)!.key, before, after };
}

/** Reads what `sides` need, in one call, and opens them. `other` is the side that the first is compared with. */
async function openAll(source: NodeSource, sides: readonly Side[], other: Side): Promise<void> {
  const wanted = sides.map((side, i) => side.wanted(i === 0 ? other : sides[0], READ_AHEAD));
  const digests = wanted.flatMap(({ node, rows }) => rows.map((row) => node.digestAt(row)));
  if (digests.length > 0) {
    const read = await source.getNodes(digests);
    let at = 0;
    for (const { rows, ahead } of wanted) for (const row of rows) ahead.set(row, read[at++]);
  }
  for (const side of sides) side.open();
}
