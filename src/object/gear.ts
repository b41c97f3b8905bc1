/** Finds candidate cuts with a gear hash, in plain TypeScript: the oracle of the WASM scanner and its fallback. */
import { assert } from '#base';
import { hash } from './hash.ts';

/** No scan is longer, so that the memory for its candidates is bounded. */
export const SCAN_BYTES_MAX = 256 * 1024;

/** A candidate's hash has its 14 highest bits 0 (once in 16 KiB), a strict one's its 18 highest (once in 256 KiB). */
const CANDIDATE_BITS = 14;
const STRICT_BITS = 18;

/** Scans a buffer that it owns; one scan continues where the one before it ended. */
export interface CandidateScanner {
  readonly kind: 'plain' | 'wasm';
  readonly buffer: Uint8Array;
  /**
   * What the last scan found, in ascending order: position * 2, plus 1 if the candidate is strict. A position is an
   * offset in `buffer`, that of the first byte after the cut.
   */
  readonly candidates: Uint32Array;
  /** Scans `length` <= SCAN_BYTES_MAX bytes of `buffer` at `position` and gives the number of candidates. */
  scan(position: number, length: number): number;
  /** Forgets the bytes before: the next scan is at a file's start. */
  restart(): void;
}

let table: Int32Array | undefined;

/** One random-looking number for each byte: the first 4 bytes, little-endian, of BLAKE3 of that byte. */
export function gearTable(): Int32Array {
  if (table === undefined) {
    table = new Int32Array(256);
    for (let byte = 0; byte < 256; byte++) {
      const digest = hash(Uint8Array.of(byte));
      table[byte] = digest[0] | (digest[1] << 8) | (digest[2] << 16) | (digest[3] << 24);
    }
  }
  return table;
}

/**
 * A scanner without WASM. The hash of a position is h = 2h + table[byte] mod 2^32: a byte is shifted out after 32 more,
 * so it depends on the 32 bytes before the position alone (W. Xia et al., "Ddelta", 2014; "FastCDC", 2016).
 */
export function plainScanner(bufferBytes: number): CandidateScanner {
  const gear = gearTable();
  const buffer = new Uint8Array(bufferBytes);
  const state = new Int32Array(1);
  let candidates = new Uint32Array(1024);
  return {
    kind: 'plain',
    buffer,
    get candidates() {
      return candidates;
    },
    scan(position, length) {
      assert(position >= 0 && length <= SCAN_BYTES_MAX && position + length <= buffer.length);
      const end = position + length;
      let count = 0;
      for (let p = nextCandidate(buffer, gear, position, end, state); p !== 0;) {
        if (count === candidates.length) candidates = grown(candidates);
        candidates[count++] = (p << 1) | (state[0] >>> (32 - STRICT_BITS) === 0 ? 1 : 0);
        p = nextCandidate(buffer, gear, p, end, state);
      }
      return count;
    },
    restart() {
      state[0] = 0;
    },
  };
}

// The first candidate after `p`, or 0. Apart and with nothing but locals, since that runs twice as fast.
function nextCandidate(
  bytes: Uint8Array,
  gear: Int32Array,
  p: number,
  end: number,
  state: Int32Array,
): number {
  let h = state[0];
  let found = 0;
  while (p < end) {
    h = ((h << 1) + gear[bytes[p++]]) | 0;
    if (h >>> (32 - CANDIDATE_BITS) === 0) {
      found = p;
      break;
    }
  }
  state[0] = h;
  return found;
}

function grown(candidates: Uint32Array): Uint32Array<ArrayBuffer> {
  const twice = new Uint32Array(candidates.length * 2);
  twice.set(candidates);
  return twice;
}
