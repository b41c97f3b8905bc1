/** Knows the files in `packs/`: their names, and how to walk the segments of one. */
import { closeSync, fstatSync, openSync, readSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ArtError, fileError } from '#base';
import {
  HEADER_BYTES,
  JOURNAL_ALIGNMENT,
  PACK_ALIGNMENT,
  TRAILER_BYTES_MAX,
  aligned,
  beginsTrailer,
  decodeHeader,
  decodeTrailer,
  framesEnd,
  trailerLengthAtEnd,
  trailerLengthByCounts,
} from './pack-format.ts';
import type { SegmentInfo } from './pack-format.ts';

export interface PackFile {
  readonly number: number;
  readonly path: string;
  readonly journal: boolean;
}

const NAME = /^(\d{8,})\.(pack|journal)$/;

export function packName(number: number, kind: 'pack' | 'journal'): string {
  return `${String(number).padStart(8, '0')}.${kind}`;
}

/** The packs and journals in `folder`, by number. A pack and a journal never share one. */
export function listPacks(folder: string): PackFile[] {
  const files: PackFile[] = [];
  for (const name of readdirSync(folder)) {
    const match = NAME.exec(name);
    if (match)
      files.push({ number: Number(match[1]), path: join(folder, name), journal: match[2] === 'journal' });
  }
  return files.sort((a, b) => a.number - b.number);
}

export interface PackWalk {
  readonly segments: readonly SegmentInfo[];
  /** Where the last whole segment ends; what lies beyond was never finished. */
  readonly end: number;
  readonly fileBytes: number;
  /** What is wrong, in words, if anything is: a damaged header or trailer, or bytes that belong to no segment. */
  readonly problems: readonly string[];
  /** Whether all is well up to `end`: what lies beyond may be a write that was cut short. */
  readonly wholeToEnd: boolean;
}

/**
 * Finds every segment of a pack from byte `from` on, by stepping over whole ones and searching trailer by trailer
 * where the chain is broken. Never raises for damage.
 */
export function walkPack(path: string, from = HEADER_BYTES): PackWalk {
  const fd = open(path);
  try {
    const fileBytes = fstatSync(fd).size;
    const header = checkHeader(readAt(fd, 0, HEADER_BYTES), path);
    const chained = walkBack(fd, fileBytes, from, path);
    if (chained === undefined) return searchForward(fd, fileBytes, from, header, path);
    const { problems } = header;
    return { segments: chained, end: fileBytes, fileBytes, problems, wholeToEnd: problems.length === 0 };
  } finally {
    closeSync(fd);
  }
}

interface Header {
  readonly alignment: number;
  readonly problems: readonly string[];
}

function checkHeader(bytes: Uint8Array, path: string): Header {
  try {
    return { ...decodeHeader(bytes, path), problems: [] };
  } catch (error) {
    if (!(error instanceof ArtError)) throw error;
    return {
      alignment: path.endsWith('.journal') ? JOURNAL_ALIGNMENT : PACK_ALIGNMENT,
      problems: [error.message],
    };
  }
}

// The usual case: the file ends with a trailer, and each names the one before it.
function walkBack(fd: number, fileBytes: number, from: number, path: string): SegmentInfo[] | undefined {
  const segments: SegmentInfo[] = [];
  let end = fileBytes;
  while (end > from) {
    const length = trailerLengthAtEnd(readAt(fd, end - 16, 16));
    if (length === undefined || length > TRAILER_BYTES_MAX || length > end) return undefined;
    let segment: SegmentInfo;
    try {
      segment = decodeTrailer(readAt(fd, end - length, length), end - length, path);
    } catch (error) {
      if (error instanceof ArtError) return undefined;
      throw error;
    }
    if (segment.start >= end) return undefined;
    segments.push(segment);
    end = segment.start;
  }
  return end === from ? segments.reverse() : undefined;
}

// The chain is broken: look at every place where a trailer could begin.
function searchForward(fd: number, fileBytes: number, from: number, header: Header, path: string): PackWalk {
  const { alignment } = header;
  const segments: SegmentInfo[] = [];
  const problems = [...header.problems];
  let wholeToEnd = problems.length === 0;
  let covered = from;
  const buffer = Buffer.allocUnsafe(4 * 1024 * 1024);
  let offset = Math.ceil(from / alignment) * alignment;
  while (offset < fileBytes) {
    const read = readSync(fd, buffer, 0, buffer.length, offset);
    if (read <= 0) break;
    let next = offset + read;
    for (let at = 0; at + 32 <= read; at += alignment) {
      if (!beginsTrailer(buffer.subarray(at, at + 8))) continue;
      const begins = offset + at;
      const length = trailerLengthByCounts(buffer.subarray(at, at + 32), alignment);
      if (length > TRAILER_BYTES_MAX || begins + length > fileBytes) continue;
      try {
        const segment = decodeTrailer(readAt(fd, begins, length), begins, path);
        if (aligned(framesEnd(segment), alignment) !== begins) continue; // It came with a file that holds such a pack.
        if (segment.start !== covered) {
          problems.push(`${path}: bytes ${covered} to ${segment.start} belong to no readable segment`);
          wholeToEnd = false;
        }
        segments.push(segment);
        covered = segment.end;
        next = segment.end;
        break;
      } catch (error) {
        if (!(error instanceof ArtError)) throw error;
        problems.push(error.message);
      }
    }
    offset = next;
  }
  if (covered < fileBytes)
    problems.push(`${path}: bytes ${covered} to ${fileBytes} belong to no finished segment`);
  return { segments, end: covered, fileBytes, problems, wholeToEnd };
}

function open(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    throw fileError(error, path);
  }
}

function readAt(fd: number, position: number, length: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(Math.max(0, length));
  const read = position < 0 ? 0 : readSync(fd, bytes, 0, bytes.length, position);
  return bytes.subarray(0, read);
}
