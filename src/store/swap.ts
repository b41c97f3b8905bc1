/** Puts a newly built database in the place of the old one, so that a crash at any moment leaves one that can be had. */
import { closeSync, existsSync, fsyncSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { nonce, syncFolder } from '#base';

const BUILDING = /^objects-[0-9a-f]+\.(new|ready|old)$/;

/** Where a new database may be built. */
export function newDatabaseFolder(art: string): string {
  return join(art, 'tmp', `objects-${nonce(8)}.new`);
}

/**
 * Makes the closed database in `folder` the one in use. It is called ready before the old one goes: an interrupted swap
 * leaves either the old one in use, or none and a ready one.
 */
export function swapDatabase(art: string, folder: string): void {
  for (const name of readdirSync(folder)) syncFile(join(folder, name));
  syncFolder(folder);
  const ready = folder.replace(/\.new$/, '.ready');
  const old = folder.replace(/\.new$/, '.old');
  const objects = join(art, 'objects');
  const tmp = join(art, 'tmp');
  renameSync(folder, ready);
  syncFolder(tmp);
  if (existsSync(objects)) renameSync(objects, old);
  renameSync(ready, objects);
  syncFolder(art);
  syncFolder(tmp);
  rmSync(old, { recursive: true, force: true });
}

/** Finishes a swap that was interrupted, if one was, and removes what was never finished. Under the lock only. */
export function finishSwap(art: string): void {
  const tmp = join(art, 'tmp');
  const objects = join(art, 'objects');
  const names = readdirSync(tmp).filter((name) => BUILDING.test(name));
  const ready = names.find((name) => name.endsWith('.ready'));
  if (ready !== undefined && !existsSync(objects)) {
    renameSync(join(tmp, ready), objects);
    syncFolder(art);
  }
  for (const name of names) rmSync(join(tmp, name), { recursive: true, force: true });
}

// LOCK is left alone: it holds nothing, and closing it would drop a lock on it.
function syncFile(path: string): void {
  if (path.endsWith('LOCK')) return;
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
