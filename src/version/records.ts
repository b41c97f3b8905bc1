/** Defines the small records beside the objects: where each is kept, and exactly which bytes it is. */
import { ArtError, ByteReader, ByteWriter, assert, equalBytes, isArtError, toHex, utf8 } from '#base';
import { DIGEST_BYTES, hash } from '#object';
import type { Digest } from '#object';
import { foldName, parseArtifactName } from './names.ts';
import type { ArtifactName, DraftId } from './names.ts';

/** One entry of the operation log: who moved which refs, when, by which command. */
export interface Operation {
  readonly number: number;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly user: string;
  readonly host: string;
  /** The id of the run it happened in. */
  readonly run: string | null;
  /** The command as typed; longer than 16 KiB it is kept cut. */
  readonly command: string;
  readonly changes: readonly RefChange[];
  /** The number of the operation that this one takes back. */
  readonly undoes: number | null;
}

/**
 * `ref` is a record key (`ref/artifacts/cifar`), or a folder on disk (`folder:/data/cifar`) of which `before` is a
 * snapshot of what was lost there. Null is a ref that did not exist before, or does not after.
 */
export interface RefChange {
  readonly ref: string;
  readonly before: Digest | null;
  readonly after: Digest | null;
}

/** What art last made, or put, in one folder. */
export interface Held {
  /** The absolute path of the folder. */
  readonly path: string;
  readonly artifact: ArtifactName;
  readonly number: number;
  readonly commit: Digest;
  readonly tree: Digest;
  /** Whether only part of the version was put there. */
  readonly partial: boolean;
  /** Where checkouts that have not ended were going, the latest first: what equals them counts as art's own. */
  readonly moving: readonly Goal[];
  /** Milliseconds since 1970. */
  readonly time: number;
}

/** What a checkout is to make of a folder. */
export interface Goal {
  readonly commit: Digest;
  /** What the folder holds once it is done. */
  readonly tree: Digest;
  /** The path filters it was given; empty for the whole version. */
  readonly paths: readonly string[];
}

const FORMAT = 1;
/** Of a held folder with more to say than the first format can: that knows one goal, of a whole version. */
const HELD_GOALS_FORMAT = 2;
const COMMAND_BYTES_MAX = 16 * 1024;
const OPERATION_DIGITS = 12;
const ARTIFACTS = 'ref/artifacts/';
const OPERATIONS = 'op/';
const DRAFTS = 'draft/';

/** The keys of all records of this room: ASCII, in an order that serves their listing. */
export const recordKeys = {
  /** The state of an artifact: its digest. */
  artifact: (name: ArtifactName) => `${ARTIFACTS}${name}`,
  artifacts: ARTIFACTS,
  /** The name as it is written, by its lower-case form: two names equal but for case cannot both be taken. */
  folded: (name: ArtifactName) => `fold/${foldName(name)}`,
  foldedNames: 'fold/',
  /** The name that an artifact got when it gave up this one; gone once this one is used again. */
  renamed: (name: ArtifactName) => `renamed/${name}`,
  operation: (number: number) => {
    assert(Number.isSafeInteger(number) && number >= 0 && number < 10 ** OPERATION_DIGITS);
    return OPERATIONS + String(number).padStart(OPERATION_DIGITS, '0');
  },
  operations: OPERATIONS,
  nextOperation: 'op-next',
  /** There is one if the operation took over what a remote had: the remote's name. */
  merged: (number: number) => `merged/${recordKeys.operation(number).slice(OPERATIONS.length)}`,
  /** Paths may hold any character and be long: the key is half of their hash, the value holds the path. */
  held: (path: string) => `held/${toHex(hash(utf8(path))).slice(0, 32)}`,
  heldFolders: 'held/',
  draft: (name: ArtifactName, id: DraftId) => `${DRAFTS}${name}/${id}`,
  draftsOf: (name: ArtifactName) => `${DRAFTS}${name}/`,
  drafts: DRAFTS,
} as const;

/** The artifact whose state is kept at `key`; undefined if it is the key of something else. */
export function artifactOfKey(key: string): ArtifactName | undefined {
  return key.startsWith(ARTIFACTS) ? parseArtifactName(key.slice(ARTIFACTS.length)) : undefined;
}

const FOLDER_REF = 'folder:';

/** What the operation log calls a folder on disk. */
export function folderRef(path: string): string {
  return FOLDER_REF + path;
}

/** The absolute path of the folder that the operation log calls `ref`; undefined if it is something else. */
export function folderOfRef(ref: string): string | undefined {
  return ref.startsWith(FOLDER_REF) ? ref.slice(FOLDER_REF.length) : undefined;
}

/** A ref's record: the 32 bytes of a digest. */
export function encodeRef(digest: Digest): Uint8Array {
  assert(digest.length === DIGEST_BYTES);
  return Uint8Array.from(digest);
}

/** Raises STORE_DAMAGED, as all decoders here. */
export function decodeRef(bytes: Uint8Array): Digest {
  if (bytes.length !== DIGEST_BYTES)
    throw damaged(`a ref has ${bytes.length} bytes instead of ${DIGEST_BYTES}`);
  return Uint8Array.from(bytes);
}

export function encodeName(name: ArtifactName): Uint8Array {
  return utf8(name);
}

export function decodeName(bytes: Uint8Array): ArtifactName {
  try {
    return parseArtifactName(Buffer.from(bytes).toString('latin1'));
  } catch (cause) {
    throw damaged('a record of a folded name holds no name', cause);
  }
}

export function encodeNumber(number: number): Uint8Array {
  assert(Number.isSafeInteger(number) && number >= 0);
  return new ByteWriter(8).varint(number).take();
}

export function decodeNumber(bytes: Uint8Array): number {
  return strictly('a record of a number', bytes, (reader) => reader.varint(), encodeNumber);
}

export function encodeOperation(operation: Operation): Uint8Array {
  const writer = new ByteWriter().u8(FORMAT);
  writer.varint(operation.number).f64(operation.time).text(operation.user).text(operation.host);
  writer.text(operation.run ?? '').sized(utf8Start(operation.command, COMMAND_BYTES_MAX));
  writer.varint(operation.undoes === null ? 0 : operation.undoes + 1).varint(operation.changes.length);
  for (const { ref, before, after } of operation.changes) {
    writer.text(ref);
    writeDigest(writer, before);
    writeDigest(writer, after);
  }
  return writer.take();
}

export function decodeOperation(bytes: Uint8Array): Operation {
  const what = 'a record of an operation';
  const read = (reader: ByteReader): Operation => {
    checkFormat(reader);
    const number = reader.varint();
    const time = reader.f64();
    const user = reader.text();
    const host = reader.text();
    const run = reader.text();
    const command = reader.text();
    const undoes = reader.varint();
    const count = countIn(reader, 4);
    const changes: RefChange[] = [];
    while (changes.length < count)
      changes.push({ ref: reader.text(), before: readDigest(reader), after: readDigest(reader) });
    return {
      number,
      time,
      user,
      host,
      run: run === '' ? null : run,
      command,
      changes,
      undoes: undoes === 0 ? null : undoes - 1,
    };
  };
  return strictly(what, bytes, read, encodeOperation);
}

export function encodeHeld(held: Held): Uint8Array {
  const { moving } = held;
  const isPlain = moving.length < 2 && moving.every(({ paths }) => paths.length === 0);
  const writer = new ByteWriter().u8(isPlain ? FORMAT : HELD_GOALS_FORMAT);
  writer.text(held.path).text(held.artifact).varint(held.number);
  writer
    .bytes(held.commit)
    .bytes(held.tree)
    .u8(held.partial ? 1 : 0)
    .f64(held.time);
  if (isPlain) writer.u8(moving.length);
  else writer.varint(moving.length);
  for (const { commit, tree, paths } of moving) {
    writer.bytes(commit).bytes(tree);
    if (isPlain) continue;
    writer.varint(paths.length);
    for (const path of paths) writer.text(path);
  }
  return writer.take();
}

export function decodeHeld(bytes: Uint8Array): Held {
  const read = (reader: ByteReader): Held => {
    const isPlain = checkFormat(reader, HELD_GOALS_FORMAT) === FORMAT;
    const path = reader.text();
    const artifact = parseArtifactName(reader.text());
    const number = reader.varint();
    const commit = digestIn(reader);
    const tree = digestIn(reader);
    const partial = reader.u8() === 1;
    const time = reader.f64();
    const moving: Goal[] = [];
    const count = isPlain ? Math.min(reader.u8(), 1) : countIn(reader, 2 * DIGEST_BYTES + 1);
    while (moving.length < count) {
      const goal = { commit: digestIn(reader), tree: digestIn(reader) };
      const paths: string[] = [];
      const pathCount = isPlain ? 0 : countIn(reader, 1);
      while (paths.length < pathCount) paths.push(reader.text());
      moving.push({ ...goal, paths });
    }
    return { path, artifact, number, commit, tree, partial, moving, time };
  };
  return strictly('a record of a held folder', bytes, read, encodeHeld);
}

/** Decodes all of `bytes`, and only if encoding what was found gives them back: one value, one record. */
export function strictly<T>(
  what: string,
  bytes: Uint8Array,
  read: (reader: ByteReader) => T,
  encode: (value: T) => Uint8Array,
): T {
  let value: T;
  try {
    value = read(new ByteReader(bytes, what));
  } catch (error) {
    throw isArtError(error) ? damaged(error.message, error) : error;
  }
  if (!equalBytes(encode(value), bytes)) throw damaged(`${what} is not in its one encoding`);
  return value;
}

/** Gives the format. */
function checkFormat(reader: ByteReader, formatMax = FORMAT): number {
  const format = reader.u8();
  if (format < FORMAT || format > formatMax) throw reader.invalid(`has format ${format}, not ${FORMAT}`);
  return format;
}

// A count beyond what the bytes left could hold is a lie, told before memory is taken.
function countIn(reader: ByteReader, bytesEachMin: number): number {
  const count = reader.varint();
  if (count * bytesEachMin > reader.left) throw reader.invalid('has an impossible count');
  return count;
}

function writeDigest(writer: ByteWriter, digest: Digest | null): void {
  writer.u8(digest === null ? 0 : 1);
  if (digest !== null) writer.bytes(digest);
}

function readDigest(reader: ByteReader): Digest | null {
  return reader.u8() === 0 ? null : digestIn(reader);
}

// Copied: a view would keep the whole record alive.
export function digestIn(reader: ByteReader): Digest {
  return Uint8Array.from(reader.bytes(DIGEST_BYTES));
}

/** The first bytes of `text`, at most `bytesMax`, cut between characters. */
function utf8Start(text: string, bytesMax: number): Uint8Array {
  const bytes = utf8(text);
  if (bytes.length <= bytesMax) return bytes;
  let end = bytesMax;
  while ((bytes[end] & 0xc0) === 0x80) end--;
  return bytes.subarray(0, end);
}

function damaged(why: string, cause?: unknown): ArtError {
  return new ArtError('STORE_DAMAGED', why, { cause });
}
