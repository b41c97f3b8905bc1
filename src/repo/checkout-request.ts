/** Says what a checkout is asked for, and what it answers. */

export interface CheckoutRequest {
  /** The version; absent: what `art.lock` wants. */
  readonly spec?: string;
  /** Without `spec`: only these bound artifacts. */
  readonly names?: readonly string[];
  /** Relative to the context's folder. */
  readonly dir?: string;
  readonly paths?: readonly string[];
  readonly force?: boolean;
  readonly clean?: boolean;
  readonly bind?: boolean;
  readonly dryRun?: boolean;
}

export interface CheckoutResult {
  readonly name: string;
  readonly version: string;
  readonly cid: string;
  readonly dir: string;
  readonly written: number;
  readonly removed: number;
  readonly unchanged: number;
  readonly bytes: number;
  /** Files with uncommitted changes, untracked files and empty folders that went; stored first. */
  readonly lost: number;
  /** The operation that stored them, and whose undo brings them back. */
  readonly undo: number | null;
}
