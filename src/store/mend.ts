/** Writes what only the database has into packs and a journal, and sets damaged ones aside. */
import { renameSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { syncFolder } from '#base';
import { formatCid } from '#object';
import type { ObjectId } from '#object';
import { LevelStore } from './level-store.ts';
import { packName } from './pack-files.ts';
import type { PackFile } from './pack-files.ts';
import { objectKey } from './records.ts';
import { Repacker, beginJournal } from './repack.ts';
import type { RepackOptions } from './repack.ts';

/** The pack of what only LevelDB has: numbers of packs begin with 1. */
export const NO_PACK = 0;

/** What the packs and journals of a sound database do not have. */
export interface Wanting {
  readonly damaged: readonly PackFile[];
  /** Whether the journals alone do not give the records. */
  readonly journalsLack: boolean;
  /** How many objects stand in the database alone. */
  readonly rescued: number;
}

/** Makes packs and journals whole again, in an order that a kill may interrupt; gives the objects that are lost. */
export async function mend(
  art: string,
  { damaged, journalsLack, rescued }: Wanting,
  options: Pick<RepackOptions, 'signal' | 'onCopied'> = {},
): Promise<ObjectId[]> {
  if (damaged.length === 0 && !journalsLack && rescued === 0) return [];
  await using store = new LevelStore(art);
  if (journalsLack || damaged.some(({ journal }) => journal)) await beginJournal(store);
  await using repacker = new Repacker(store, options);
  for (const file of damaged) await repacker.copyPack(file);
  await repacker.copyRows(new Set([NO_PACK, ...damaged.map(({ number }) => number)]));
  await repacker.publish();
  const lost = [...new Map(repacker.unreadable.map((id) => [formatCid(id), id])).values()];
  await removeRows(store, lost);
  for (const file of damaged) {
    store.packReader.forget(file.number);
    setAside(art, file);
  }
  syncFolder(join(art, 'packs'));
  return lost;
}

// It stays for a day, for whoever can still make something of it: gc counts from when a file was last touched.
function setAside(art: string, { number, path, journal }: PackFile): void {
  const aside = join(art, 'tmp', `damaged-${packName(number, journal ? 'journal' : 'pack')}`);
  renameSync(path, aside);
  const now = new Date();
  utimesSync(aside, now, now);
}

async function removeRows(store: LevelStore, ids: readonly ObjectId[]): Promise<void> {
  if (ids.length === 0) return;
  const { database } = store;
  await store.exclusively(() =>
    database.use(async () => {
      const { meta } = database;
      const removals = ids.map(
        ({ kind, digest }) => ({ type: 'del', key: objectKey(kind, digest) }) as const,
      );
      await database.write([database.setMeta({ ...meta, epoch: meta.epoch + 1 }), ...removals]);
    }),
  );
}
