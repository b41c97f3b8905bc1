/** Finds what nodes keep alive and the store does not have. */
import { DigestTable, nextTurn, throwIfAborted } from '#base';
import { CHUNK } from '#object';
import type { ObjectId } from '#object';
import { walkClosure } from './closure.ts';
import type { LevelStore } from './level-store.ts';
import type { Roots } from './object-store.ts';
import { objectKey } from './records.ts';

/** At most so many are given. */
const ABSENT_MAX = 100;

/** Some of what is absent below `roots`: nothing only if nothing is. What an absent node names is not known. */
export async function findAbsent(store: LevelStore, roots: Roots, signal?: AbortSignal): Promise<ObjectId[]> {
  const { database, packReader } = store;
  const entered = new DigestTable();
  const absent: ObjectId[] = [];
  const note = (id: ObjectId) => {
    if (absent.length < ABSENT_MAX) absent.push({ ...id, digest: Uint8Array.from(id.digest) });
  };
  await database.use(async () => {
    await walkClosure(database, packReader, roots(store), {
      enter: (digest) => entered.add(digest),
      chunk: (digest) => {
        if (database.table.getSync(objectKey(CHUNK, digest)) === undefined) note({ kind: CHUNK, digest });
      },
      broken: note,
      pause: () => {
        throwIfAborted(signal);
        return database.breathe() ?? nextTurn();
      },
    });
  });
  return absent;
}
