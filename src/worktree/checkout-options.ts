/** Says what a checkout is given and what it gives back. */
import type { Digest } from '#object';
import type { NodeSource, ObjectReader } from '#store';
import type { Gather } from './gather.ts';
import type { Placer } from './placer.ts';
import type { Watched } from './progress.ts';

export interface PlanOptions extends Watched {
  /**
   * Absolute; made if absent. A link that stands there itself is followed. One with the same `tmpDir` is checked out into
   * at a time: unfinished files that such a checkout left are removed.
   */
  readonly dir: string;
  /** The tree that `art` last made or put there. */
  readonly held?: Digest | undefined;
  /** The trees that checkouts were going to when they were stopped: what equals one counts as put there by us. */
  readonly moving?: readonly Digest[] | undefined;
  /** The tree that shall be there; undefined for an empty one. */
  readonly wanted: Digest | undefined;
  readonly source: NodeSource;
  /** Same file system as `statCache`; takes the plan. */
  readonly tmpDir: string;
  readonly statCache?: string | undefined;
  /** The repository's root: where `.artignore` files stop to count. */
  readonly stopAt?: string | undefined;
  /** Path filters: everything else is left alone. */
  readonly paths?: readonly string[] | undefined;
  /**
   * `careful`: refuses to overwrite or remove what is in none of the trees. `force`: does it. `restore`: overwrites
   * files of the tree that differ, and refuses where something else is in the way. `overlay`: careful, and what the
   * tree does not have stays, unless it is in the way and ours. Default `careful`.
   */
  readonly mode?: 'careful' | 'force' | 'restore' | 'overlay' | undefined;
  /** Removes untracked files too, but for ignored ones, and what is in a repository of its own. */
  readonly clean?: boolean | undefined;
  /** Told of each folder that is left alone because it is a repository of its own. */
  readonly onRepository?: ((path: string) => void) | undefined;
  /** The store's epoch now. */
  readonly epoch: number;
  /** Told how much there will be to place while the plan is made. */
  readonly placer?: Placer | undefined;
  /** Changes nothing at all, not even our own stale temporary files. */
  readonly dryRun?: boolean | undefined;
}

export interface CheckoutOptions extends PlanOptions {
  readonly reader: ObjectReader;
  /** Where content may be elsewhere: what is to be written is brought by this, before it is read. */
  readonly gather?: Gather | undefined;
}

export interface CheckoutCounts {
  /** Files, links and empty folders to write. */
  readonly written: number;
  readonly removed: number;
  readonly unchanged: number;
  /** Bytes of what is written. */
  readonly bytes: number;
  /** References, which are not written. */
  readonly references: number;
}

export interface Conflict {
  readonly path: string;
  /** `modified`: ours, and changed since; `untracked`: never ours; `ignored`: and left out by `.artignore`. */
  readonly why: 'modified' | 'untracked' | 'ignored';
}

/** Of many conflicts so many are named. */
export const CONFLICTS_NAMED_MAX = 20;
