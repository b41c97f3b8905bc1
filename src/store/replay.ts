/** Reads out of the journals alone what the records are. */
import { ArtError } from '#base';
import { listPacks, walkPack } from './pack-files.ts';
import type { PackFile, PackWalk } from './pack-files.ts';
import { locationOf } from './location.ts';
import { RECORDS } from './pack-format.ts';
import type { SegmentInfo } from './pack-format.ts';
import type { PackReader } from './pack-reader.ts';
import { SNAPSHOT_END, decodeChanges } from './records.ts';
import type { RecordChanges } from './records.ts';

/** Where a journal was when its changes were made: `end` is that of their segment. */
export interface JournalPlace {
  readonly journal: number;
  readonly end: number;
}

/**
 * Hands the changes of records to `visit`, oldest first, from the beginning of the last journal that holds them all.
 * Gives what could not be read, in words. A torn end of the last journal is no problem.
 */
export function replayJournals(
  folder: string,
  packs: PackReader,
  visit: (changes: RecordChanges, place: JournalPlace) => void,
): string[] {
  const journals = listPacks(folder).filter(({ journal }) => journal);
  const problems: string[] = [];
  for (let i = firstNeeded(journals, packs); i < journals.length; i++) {
    const { number, path } = journals[i];
    packs.forget(number);
    const walk = walkPack(path);
    if (i < journals.length - 1 || !walk.wholeToEnd) problems.push(...walk.problems);
    for (const segment of walk.segments) {
      for (const changes of changesIn(number, segment, packs, problems))
        visit(changes, { journal: number, end: segment.end });
    }
  }
  return problems;
}

// The last journal that says it holds all records; the first of all if none does.
function firstNeeded(journals: readonly PackFile[], packs: PackReader): number {
  for (let i = journals.length - 1; i > 0; i--) if (holdsAllRecords(journals[i], packs)) return i;
  return 0;
}

/** Whether earlier journals are not needed for records. */
function holdsAllRecords({ number, path }: PackFile, packs: PackReader): boolean {
  const walk: PackWalk = walkPack(path);
  packs.forget(number);
  return walk.segments.some((segment) =>
    changesIn(number, segment, packs, []).some((changes) => changes.has(SNAPSHOT_END)),
  );
}

function changesIn(
  journal: number,
  segment: SegmentInfo,
  packs: PackReader,
  problems: string[],
): RecordChanges[] {
  const rows = segment.rows.filter(({ kind }) => kind === RECORDS);
  const lists = packs.readWhole(
    rows,
    rows.map((row) => locationOf(journal, row)),
  );
  const found: RecordChanges[] = [];
  for (const bytes of lists) {
    try {
      if (bytes === undefined) throw new ArtError('PACK_CORRUPT', 'they do not have the bytes of their name');
      found.push(decodeChanges(bytes));
    } catch (error) {
      if (!(error instanceof ArtError)) throw error;
      problems.push(
        `journal ${journal}: records in the segment at ${segment.start} cannot be read: ${error.message}`,
      );
    }
  }
  return found;
}
