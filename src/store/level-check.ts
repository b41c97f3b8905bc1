/** Verifies LevelDB's own files byte by byte without opening the database. */
import { closeSync, fstatSync, openSync, readFileSync, readSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ByteReader, crc32c, errnoOf } from '#base';
import { tablesNamed } from './level-manifest.ts';
import { uncompressSnappy } from './snappy.ts';

const LOG_BLOCK_BYTES = 32 * 1024;
const LOG_HEADER_BYTES = 7;
const FOOTER_BYTES = 48;
const TABLE_MAGIC = 0xdb4775248b80fb57n;
const BLOCK_TRAILER_BYTES = 5;
const READ_BYTES = 4 * 1024 * 1024;
const PROBLEMS_A_FILE_MAX = 8;

/** What is wrong, with file and offset; empty if nothing is. Tables that the manifest does not name do not count. `pause` is awaited between files and blocks of them. */
export async function checkLevelFiles(
  folder: string,
  pause: () => Promise<void> | undefined = () => undefined,
): Promise<string[]> {
  let names: string[];
  try {
    names = readdirSync(folder).sort();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [`${folder} is gone`];
    throw error;
  }
  const problems = checkCurrent(folder, names);
  const tables = problems.length > 0 ? undefined : tablesNamed(join(folder, currentIn(folder)));
  for (const name of names) {
    const path = join(folder, name);
    const found: string[] = [];
    // LOCK is left alone: closing any descriptor of it would drop the lock that this process may hold.
    if (/^MANIFEST-\d+$/.test(name))
      await checkFile(path, (fd, bytes) => checkLog(fd, bytes, { mayBeTorn: false }, found, pause), found);
    else if (/^\d+\.log$/.test(name))
      await checkFile(path, (fd, bytes) => checkLog(fd, bytes, { mayBeTorn: true }, found, pause), found);
    else if (/^\d+\.(ldb|sst)$/.test(name) && (tables?.has(Number.parseInt(name, 10)) ?? true))
      await checkFile(path, (fd, bytes) => checkTable(fd, bytes, found, pause), found);
    problems.push(...found.slice(0, PROBLEMS_A_FILE_MAX).map((problem) => `${path}: ${problem}`));
  }
  return problems;
}

function checkCurrent(folder: string, names: readonly string[]): string[] {
  if (!names.includes('CURRENT')) return [`${join(folder, 'CURRENT')} is gone`];
  const manifest = currentIn(folder);
  if (!/^MANIFEST-\d+$/.test(manifest)) return [`${join(folder, 'CURRENT')} names no manifest`];
  if (!names.includes(manifest)) return [`${join(folder, 'CURRENT')} names ${manifest}, which is gone`];
  return [];
}

/** What `CURRENT` says; without the line's end, which LevelDB wants there, it is nothing. */
function currentIn(folder: string): string {
  return /^(.*)\n$/.exec(readFileSync(join(folder, 'CURRENT'), 'latin1'))?.[1] ?? '';
}

async function checkFile(
  path: string,
  check: (fd: number, bytes: number) => Promise<void>,
  found: string[],
): Promise<void> {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    found.push('is gone');
    return;
  }
  try {
    await check(fd, fstatSync(fd).size);
  } finally {
    closeSync(fd);
  }
}

// LevelDB's doc/log_format.md: blocks of 32 KiB; each record has crc, length, type and never crosses a block.
async function checkLog(
  fd: number,
  fileBytes: number,
  options: { readonly mayBeTorn: boolean },
  found: string[],
  pause: () => Promise<void> | undefined,
): Promise<void> {
  const block = Buffer.allocUnsafe(LOG_BLOCK_BYTES);
  for (let start = 0; start < fileBytes; start += LOG_BLOCK_BYTES) {
    const length = readSync(fd, block, 0, LOG_BLOCK_BYTES, start);
    const last = start + length >= fileBytes;
    let at = 0;
    while (at + LOG_HEADER_BYTES <= length) {
      const payload = block.readUInt16LE(at + 4);
      if (payload === 0 && block[at + 6] === 0 && block.readUInt32LE(at) === 0) break; // Space set aside, never written.
      const end = at + LOG_HEADER_BYTES + payload;
      if (end > length) {
        const torn = last && options.mayBeTorn && !holdsRecord(block.subarray(at + 1, length));
        if (!torn) found.push(`the record at ${start + at} is longer than its block`);
        break;
      }
      if (!isRecord(block, at, end)) {
        found.push(`the record at ${start + at} is damaged`);
        break; // Its length cannot be trusted: go on with the next block.
      }
      at = end;
    }
    if (
      last &&
      !options.mayBeTorn &&
      at < length &&
      length - at < LOG_HEADER_BYTES &&
      length < LOG_BLOCK_BYTES
    ) {
      found.push(`ends in the middle of a record at ${start + at}`);
    }
    await pause();
  }
}

function isRecord(block: Buffer, at: number, end: number): boolean {
  return block.readUInt32LE(at) === masked(crc32c(block.subarray(at + 6, end)));
}

// A write that was cut short has nothing whole behind it; a damaged length has.
function holdsRecord(bytes: Buffer): boolean {
  for (let at = 0; at + LOG_HEADER_BYTES < bytes.length; at++) {
    const type = bytes[at + 6];
    const end = at + LOG_HEADER_BYTES + bytes.readUInt16LE(at + 4);
    if (
      type >= 1 &&
      type <= 4 &&
      end > at + LOG_HEADER_BYTES &&
      end <= bytes.length &&
      isRecord(bytes, at, end)
    )
      return true;
  }
  return false;
}

interface Handle {
  readonly offset: number;
  readonly bytes: number;
}

// LevelDB's doc/table_format.md: blocks, each with type and crc behind it; the footer leads to the index.
async function checkTable(
  fd: number,
  fileBytes: number,
  found: string[],
  pause: () => Promise<void> | undefined,
): Promise<void> {
  const footer = readAt(fd, fileBytes - FOOTER_BYTES, FOOTER_BYTES);
  if (footer.length < FOOTER_BYTES || footer.readBigUInt64LE(FOOTER_BYTES - 8) !== TABLE_MAGIC) {
    found.push('does not end as a table does');
    return;
  }
  try {
    const reader = new ByteReader(footer, 'its footer');
    const metaIndex = handleOf(reader);
    const index = handleOf(reader);
    const handles = [
      ...handlesIn(readBlock(fd, fileBytes, metaIndex)),
      ...handlesIn(readBlock(fd, fileBytes, index)),
    ];
    handles.sort((a, b) => a.offset - b.offset);
    for (let i = 0; i < handles.length;) {
      const start = handles[i].offset;
      let end = start;
      let j = i;
      for (
        ;
        j < handles.length && (j === i || (handles[j].offset === end && end - start < READ_BYTES));
        j++
      ) {
        end = handles[j].offset + handles[j].bytes + BLOCK_TRAILER_BYTES;
      }
      if (end > fileBytes) throw new Error(`the block at ${handles[j - 1].offset} lies beyond the end`);
      const run = readAt(fd, start, end - start);
      for (; i < j; i++) {
        const at = handles[i].offset - start;
        if (!isWhole(run.subarray(at, at + handles[i].bytes + BLOCK_TRAILER_BYTES)))
          found.push(`the block at ${handles[i].offset} is damaged`);
      }
      await pause();
    }
  } catch (error) {
    found.push((error as Error).message);
  }
}

function readBlock(fd: number, fileBytes: number, handle: Handle): Uint8Array {
  if (handle.offset + handle.bytes + BLOCK_TRAILER_BYTES > fileBytes)
    throw new Error(`the block at ${handle.offset} lies beyond the end`);
  const block = readAt(fd, handle.offset, handle.bytes + BLOCK_TRAILER_BYTES);
  if (!isWhole(block)) throw new Error(`the block at ${handle.offset} is damaged`);
  const contents = block.subarray(0, handle.bytes);
  return block[handle.bytes] === 1 ? uncompressSnappy(contents) : contents;
}

function isWhole(block: Buffer): boolean {
  const at = block.length - 4;
  return at > 0 && block.readUInt32LE(at) === masked(crc32c(block.subarray(0, at)));
}

// Entries are (shared key bytes, own key bytes, value bytes), then both; a list of restarts closes the block.
function handlesIn(block: Uint8Array): Handle[] {
  const restarts = Buffer.from(block.buffer, block.byteOffset, block.length).readUInt32LE(block.length - 4);
  const reader = new ByteReader(block.subarray(0, block.length - 4 - 4 * restarts), 'its index');
  const handles: Handle[] = [];
  while (reader.left > 0) {
    reader.varint();
    const keyBytes = reader.varint();
    const valueBytes = reader.varint();
    reader.bytes(keyBytes);
    handles.push(handleOf(new ByteReader(reader.bytes(valueBytes), 'its index')));
  }
  return handles;
}

function handleOf(reader: ByteReader): Handle {
  return { offset: reader.varint(), bytes: reader.varint() };
}

function readAt(fd: number, position: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(Math.max(0, length));
  return bytes.subarray(0, position < 0 ? 0 : readSync(fd, bytes, 0, bytes.length, position));
}

// A crc stored beside what it covers is masked, so that a crc over both is no trivial value.
function masked(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
