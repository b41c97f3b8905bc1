/** Lays out one step of a checkout's plan in the spool. */
import { ByteReader, ByteWriter, EMPTY_BYTES, utf8 } from '#base';
import { DIGEST_BYTES, FILE, type Digest, type MapEntry } from '#object';
import type { DiskEntry, Fingerprint } from './disk-entry.ts';

/** The file stays as it is, and is remembered in the stat cache. */
export const KEEP = 0;
export const WRITE = 1;
export const REMOVE = 2;
export type Action = typeof KEEP | typeof WRITE | typeof REMOVE;

export interface PlanRow {
  readonly action: Action;
  /** What is there now is nowhere else: only `force` or `clean` allow this step. */
  readonly destroys: boolean;
  readonly path: string;
  /** What to write or keep; of a removal what is there: MapEntry's kind, or IRREGULAR. */
  readonly kind: number;
  readonly executable: boolean;
  readonly size: number;
  readonly digest: Digest;
  readonly target: Uint8Array;
  /** What is on the disk now; undefined if nothing. */
  readonly found: Fingerprint | undefined;
  /** Whether that has other names, too. */
  readonly linked: boolean;
}

/** Whether bytes of a file are to be written. */
export function isContent(row: PlanRow): boolean {
  return row.action === WRITE && row.kind === FILE;
}

const NO_DIGEST: Digest = new Uint8Array(DIGEST_BYTES);
const DESTROYS = 0x10;
const FOUND = 0x20;
const EXECUTABLE = 0x40;
const LINKED = 0x80;

/** The key, where it is at hand, is the path as bytes. */
type What = Pick<MapEntry, 'kind' | 'executable' | 'size' | 'digest' | 'extra'> &
  Partial<Pick<MapEntry, 'key'>>;

/** Encodes rows one after the other into the same buffer. */
export class PlanRowWriter {
  readonly #writer = new ByteWriter(8192);

  /** A view that the next call overwrites. `what` is the tree's entry; of a removal there is none. */
  encode(
    action: Action,
    path: string,
    what: What | undefined,
    found: DiskEntry | undefined,
    options: { readonly destroys?: boolean } = {},
  ): Uint8Array {
    const executable = (what ?? found)?.executable === true;
    const flags =
      (options.destroys === true ? DESTROYS : 0) |
      (found ? FOUND : 0) |
      (executable ? EXECUTABLE : 0) |
      (found?.linked === true ? LINKED : 0);
    this.#writer
      .clear()
      .u8(action | flags)
      .sized(what?.key ?? utf8(path))
      .u8((what ?? found)!.kind & 0xff)
      .varint((what ?? found)!.size)
      .bytes(what?.digest ?? NO_DIGEST)
      .sized(what?.extra ?? EMPTY_BYTES);
    if (found) this.#writer.varint(found.size).f64(found.mtimeMs).f64(found.ctimeMs).f64(found.ino);
    return this.#writer.view();
  }
}

/** Decodes a row; what it holds is its own. */
export function decodePlanRow(bytes: Uint8Array): PlanRow {
  const reader = new ByteReader(bytes, 'plan of a checkout');
  const head = reader.u8();
  const action = head & 3;
  if (action > REMOVE) throw reader.invalid(`holds an unknown step ${action}`);
  const path = reader.text();
  const kind = (reader.u8() << 24) >> 24;
  const size = reader.varint();
  // So short an array lies in the heap itself: a buffer costs several times as much to make and to free.
  const digest = new Uint8Array(DIGEST_BYTES);
  digest.set(reader.bytes(DIGEST_BYTES));
  const targetBytes = reader.varint();
  const target = targetBytes === 0 ? EMPTY_BYTES : Buffer.from(reader.bytes(targetBytes));
  const found =
    (head & FOUND) === 0
      ? undefined
      : { size: reader.varint(), mtimeMs: reader.f64(), ctimeMs: reader.f64(), ino: reader.f64() };
  return {
    action: action as Action,
    destroys: (head & DESTROYS) !== 0,
    path,
    kind,
    executable: (head & EXECUTABLE) !== 0,
    size,
    digest,
    target,
    found,
    linked: (head & LINKED) !== 0,
  };
}
