/** Does all of an operation but the change: what it would have said is what it says. */
import { DigestTable, toHex } from '#base';
import { CHUNK, NODE } from '#object';
import type { Digest } from '#object';
import type { Transaction } from '#store';
import type { Setting } from './context.ts';
import { publishOperation } from './operation.ts';
import type { Draft } from './operation.ts';

/** A transaction that looks and counts and takes no chunk. Nodes it keeps in memory: trees are read back. */
export function countingOnly(tx: Transaction): Transaction {
  const chunks = new DigestTable();
  const nodes = new Map<string, Uint8Array>();
  const stats = { objects: 0, rawBytes: 0, storedBytes: 0 };
  const has: Transaction['has'] = (kind, digest) =>
    (kind === CHUNK ? chunks.has(digest) : nodes.has(toHex(digest))) || tx.has(kind, digest);
  const put: Transaction['put'] = (kind, digest, bytes) => {
    if (has(kind, digest)) return false;
    if (kind === CHUNK) chunks.add(digest);
    else nodes.set(toHex(digest), Uint8Array.from(bytes));
    stats.objects++;
    stats.rawBytes += bytes.length;
    return true;
  };
  const getNodes = async (digests: readonly Digest[]) => {
    const found = digests.map((digest) => nodes.get(toHex(digest)));
    const absent = digests.filter((_, i) => found[i] === undefined);
    const stored = absent.length === 0 ? [] : await tx.getNodes(absent);
    let next = 0;
    return found.map((bytes) => bytes ?? stored[next++]);
  };
  return {
    epoch: tx.epoch,
    stats,
    breathe: () => tx.breathe(),
    aside: (work) => tx.aside(work),
    has,
    put,
    putFrame: () => false,
    putNode: (digest, bytes) => void put(NODE, digest, bytes),
    rely: (kind, digest) => tx.rely(kind, digest),
    settle: () => {},
    getNodes,
    // What is decided sees what was counted, and is then forgotten.
    publish: (decide) =>
      tx.publish((locked) =>
        decide({ ...locked, put, putNode: (digest, bytes) => void put(NODE, digest, bytes), getNodes }),
      ),
    [Symbol.asyncDispose]: async () => {},
  };
}

class ChangedMind<T> extends Error {
  readonly result: T;
  constructor(result: T) {
    super();
    this.result = result;
  }
}

/** Decides for real, under the lock, and then changes its mind. */
export async function decideOnly<T>(
  tx: Transaction,
  setting: Setting,
  decide: (draft: Draft) => Promise<T>,
): Promise<T> {
  try {
    return await publishOperation(tx, setting, async (draft) => {
      throw new ChangedMind(await decide(draft));
    });
  } catch (error) {
    if (!(error instanceof ChangedMind)) throw error;
    return (error as ChangedMind<T>).result;
  }
}
