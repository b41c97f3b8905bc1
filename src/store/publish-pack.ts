/** Gives a finished pack its number and name, and makes its objects found. */
import { existsSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ArtError, fileError, syncFolder } from '#base';
import type { Database } from './database.ts';
import { packName } from './pack-files.ts';
import type { PackWriter } from './pack-writer.ts';
import type { Session } from './sessions.ts';
import type { Change } from './table.ts';

/**
 * The pack is durable already; the database is pinned and nobody else in this process publishes. Named first, then
 * found: a crash in between leaves garbage, never a row without its bytes.
 */
export async function publishPack(
  database: Database,
  folder: string,
  pack: PackWriter,
  session: Session,
  steps: { readonly changes: (number: number) => Iterable<Change>; readonly onNamed?: () => void },
): Promise<void> {
  const number = database.meta.nextPack;
  session.note(number);
  await database.changing(async () => {
    nameFile(pack.path, join(folder, packName(number, 'pack')));
    steps.onNamed?.();
    await database.write(steps.changes(number));
    await database.write([database.setMeta({ ...database.meta, nextPack: number + 1 })]);
  });
}

// Under the lock nobody comes in between. Rows may name what has the name already: it is never replaced.
function nameFile(temporary: string, path: string): void {
  if (existsSync(path)) throw new ArtError('IO_FAILED', `the database does not know of ${path}`);
  try {
    renameSync(temporary, path);
    syncFolder(dirname(path));
  } catch (error) {
    throw fileError(error, temporary);
  }
}
