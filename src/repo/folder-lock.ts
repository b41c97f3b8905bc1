/** Lets those who write into one folder take turns. */
import { join } from 'node:path';
import { makeFolders, toHex, utf8 } from '#base';
import type { Closing } from '#base';
import { hash } from '#object';
import { OwnerLock } from '#store';
import type { Context } from './context.ts';

/**
 * Keeps other checkouts out of `dir`, a path without links, until `closing` ends; waits for them as long as for the
 * repository. Raises LOCKED.
 */
export async function lockFolder(context: Context, dir: string, closing: Closing): Promise<void> {
  const folder = join(context.art, 'lock', `folder-${toHex(hash(utf8(dir))).slice(0, 16)}`);
  makeFolders(folder);
  const lock = new OwnerLock(folder, `the folder ${JSON.stringify(dir)}`, context.waitMsMax);
  await lock.acquire();
  closing.defer(() => lock.close());
}
