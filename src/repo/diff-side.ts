/** Says what stands at a path on one side of a comparison, and keeps changes as records of a spool. */
import { ByteReader, EMPTY_BYTES } from '#base';
import type { ByteWriter } from '#base';
import { DIGEST_BYTES, SYMLINK } from '#object';
import type { Digest, EntryKind, MapEntry } from '#object';
import { IRREGULAR } from '#worktree';
import type { DiskEntry } from '#worktree';

/** One thing in a version or in a folder. */
export interface DiffSide {
  readonly kind: EntryKind | typeof IRREGULAR;
  readonly executable: boolean;
  readonly size: number;
  /** What a tree has for its content; undefined if it lies on the disk and was not read. */
  readonly digest: Digest | undefined;
  /** Of a symbolic link; else empty. */
  readonly target: Uint8Array;
}

/** A path whose entries differ; `before` is absent if it was added, `after` if it was removed. */
export interface SideChange {
  /** That of an empty folder ends in a slash. */
  readonly path: string;
  readonly before: DiffSide | undefined;
  readonly after: DiffSide | undefined;
}

export function sideOfEntry({ kind, executable, size, digest, extra }: MapEntry): DiffSide {
  return { kind, executable, size, digest, target: kind === SYMLINK ? extra : EMPTY_BYTES };
}

/** What is on the disk; its content stays unread. */
export function sideOfDisk({ kind, executable, size }: DiskEntry): DiffSide {
  return { kind, executable, size, digest: undefined, target: EMPTY_BYTES };
}

const BEFORE = 1;
const AFTER = 2;
const EXECUTABLE = 1;
const DIGEST = 2;

/** Writes `change` as `decodeChange` reads it, in place of what `writer` held. */
export function encodeChange(writer: ByteWriter, { path, before, after }: SideChange): Uint8Array {
  writer
    .clear()
    .u8((before ? BEFORE : 0) | (after ? AFTER : 0))
    .text(path);
  for (const side of [before, after]) {
    if (side === undefined) continue;
    const { kind, executable, size, digest, target } = side;
    writer
      .u8(kind & 0xff)
      .u8((executable ? EXECUTABLE : 0) | (digest ? DIGEST : 0))
      .varint(size)
      .sized(target);
    if (digest !== undefined) writer.bytes(digest);
  }
  return writer.view();
}

/** Reads a change; its digests and targets are views of `record`. */
export function decodeChange(record: Uint8Array): SideChange {
  const reader = new ByteReader(record, 'a change');
  const sides = reader.u8();
  const path = reader.text();
  const before = sides & BEFORE ? readSide(reader) : undefined;
  const after = sides & AFTER ? readSide(reader) : undefined;
  return { path, before, after };
}

function readSide(reader: ByteReader): DiffSide {
  const kind = ((reader.u8() << 24) >> 24) as DiffSide['kind'];
  const flags = reader.u8();
  const size = reader.varint();
  const target = reader.sized();
  const digest = flags & DIGEST ? reader.bytes(DIGEST_BYTES) : undefined;
  return { kind, executable: (flags & EXECUTABLE) !== 0, size, digest, target };
}
