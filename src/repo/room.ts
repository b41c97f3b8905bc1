/** Looks whether there is room for a commit before anything is read. */
import { existsSync, statSync, statfsSync } from 'node:fs';
import { formatBytes } from '#base';
import { unreadBytes } from '#worktree';
import type { SnapshotSource } from '#worktree';
import { statCacheOf } from './context.ts';
import type { Context } from './context.ts';

/** With less, what a folder holds beside its last commit is worth a look at every file; else only the first commit is. */
const SCARCE_BYTES = 4 * 1024 ** 3;

/** Warns if what is to be read is more than what is free. Costs nothing where all there is to read would surely fit. */
export async function warnIfNoRoom(
  context: Context,
  plans: readonly { readonly sources: readonly SnapshotSource[] }[],
): Promise<void> {
  const free = freeBytes(context.art);
  let unread = 0;
  for (const { sources } of plans) {
    const there = sources.filter(({ path }) => existsSync(path));
    const statCache = statCacheOf(
      context,
      sources.map(({ path }) => path),
    );
    if (free >= usedBytes(there) || (free >= SCARCE_BYTES && existsSync(statCache))) continue;
    const { tmp: tmpDir, root: stopAt, signal } = context;
    unread += await unreadBytes({ sources: there, statCache, tmpDir, stopAt, ...(signal && { signal }) });
  }
  if (unread <= free) return;
  context.onAlert?.(
    `${formatBytes(unread)} to read, and ${formatBytes(free)} free for them: unless they compress well or are stored already, there will not be room`,
  );
}

function freeBytes(path: string): number {
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize;
}

/** What is in use on the file systems of `sources`: more than that they cannot hold. */
function usedBytes(sources: readonly SnapshotSource[]): number {
  const devices = new Map(sources.map(({ path }) => [statSync(path).dev, path]));
  let used = 0;
  for (const path of devices.values()) {
    const { blocks, bfree, bsize } = statfsSync(path);
    used += (blocks - bfree) * bsize;
  }
  return used;
}
