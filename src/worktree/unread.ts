/** Tells how much a snapshot will have to read, by looking at stats alone. */
import { FILE } from '#object';
import { Work } from './progress.ts';
import { scan } from './scan.ts';
import { located, type SnapshotOptions } from './snapshot.ts';
import { StatCacheReader } from './stat-cache.ts';

/** The bytes of all files that the stat cache does not know. Raises what `snapshot` raises before it reads a file. */
export async function unreadBytes(options: Omit<SnapshotOptions, 'tx'>): Promise<number> {
  const { sources, statCache, tmpDir, stopAt, signal } = options;
  using cache = statCache === undefined ? undefined : StatCacheReader.open(statCache);
  const work = new Work(signal === undefined ? {} : { signal });
  let bytes = 0;
  for (const { path, dest, isFolder, size } of located(sources)) {
    if (!isFolder) {
      bytes += size;
      continue;
    }
    const batches = scan({
      folder: path,
      dest: dest === '' ? '' : `${dest}/`,
      tmpDir,
      irregular: 'report',
      ...(stopAt === undefined ? {} : { stopAt }),
    });
    for (const batch of batches) {
      for (const found of batch)
        if (found.kind === FILE && cache?.recall(found) === undefined) bytes += found.size;
      const turn = work.turn();
      if (turn !== undefined) await turn;
    }
  }
  return bytes;
}
