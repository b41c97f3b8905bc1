/** Lists the objects that live sessions have published and that nothing names yet. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ObjectId } from '#object';
import { packName, walkPack } from './pack-files.ts';
import { RECORDS } from './pack-format.ts';
import { sparedPacks } from './sessions.ts';

/** What is in the packs of live sessions, pack by pack, but for those in `known`, to which their numbers are added. */
export function* sparedIds(art: string, known = new Set<number>()): Generator<ObjectId[]> {
  for (const number of sparedPacks(join(art, 'tmp'))) {
    if (known.has(number)) continue;
    const path = join(art, 'packs', packName(number, 'pack'));
    if (!existsSync(path)) continue; // Noted, not yet named.
    known.add(number);
    yield walkPack(path).segments.flatMap(({ rows }) =>
      rows.filter(({ kind }) => kind !== RECORDS),
    ) as ObjectId[];
  }
}
