/** Reads the operation log, newest first, and knows which operations were taken back. */
import { ArtError } from '#base';
import type { RecordSource } from '#store';
import { artifactOfKey, decodeNumber, decodeOperation, folderOfRef, recordKeys } from '#version';
import type { Operation } from '#version';
import { isoTime } from './look.ts';

export interface LoggedOperation extends Operation {
  /** Whether a later operation that is itself in effect took it back. */
  readonly undone: boolean;
}

export interface OperationRow {
  readonly id: number;
  /** ISO 8601. */
  readonly time: string;
  readonly user: string;
  readonly run: string | null;
  readonly command: string;
  /** `artifacts/NAME`, and folders that lost files as `folder:PATH`. */
  readonly refs: readonly string[];
  readonly undone: boolean;
}

const WINDOW = 500;

/** All operations from the newest down to number `from`. Whether one was undone is told by those after it alone. */
export async function* operations(
  source: RecordSource,
  { from = 1 }: { readonly from?: number } = {},
): AsyncGenerator<LoggedOperation, void, undefined> {
  const next = await source.getRecord(recordKeys.nextOperation);
  const undone = new Set<number>();
  const first = Math.max(1, from);
  for (let until = next === undefined ? 0 : decodeNumber(next); until > first;) {
    const start = Math.max(first, until - WINDOW);
    const after = recordKeys.operation(start - 1);
    const rows = await source.listRecords(recordKeys.operations, { after, limit: until - start });
    for (const { value } of rows.reverse()) {
      const operation = decodeOperation(value);
      const isUndone = undone.delete(operation.number);
      if (!isUndone && operation.undoes !== null) undone.add(operation.undoes);
      yield { ...operation, undone: isUndone };
    }
    until = start;
  }
}

/** The operation `number`; raises OPERATION_NOT_FOUND. */
export async function getOperation(source: RecordSource, number: number): Promise<LoggedOperation> {
  let found: LoggedOperation | undefined;
  for await (const operation of operations(source, { from: number })) found = operation;
  if (found?.number === number) return found;
  throw new ArtError('OPERATION_NOT_FOUND', `there is no operation ${number}`);
}

/** The rows of `art ops`, newest first. */
export async function* operationRows(source: RecordSource): AsyncGenerator<OperationRow, void, undefined> {
  for await (const { number, time, user, run, command, changes, undone } of operations(source)) {
    const refs = [...new Set(changes.map(({ ref }) => shownRef(ref)))];
    yield { id: number, time: isoTime(time), user, run, command, refs, undone };
  }
}

function shownRef(ref: string): string {
  if (folderOfRef(ref) !== undefined) return ref;
  const name = artifactOfKey(ref);
  return name === undefined ? ref : `artifacts/${name}`;
}
