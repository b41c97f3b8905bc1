/** States what a bucket promises: the five things any remote can do, and how their outcomes are told. */

/**
 * What a pointer's value is recognised by; opaque. Two values of one pointer never share a tag, if they differ: stores
 * that make tags from the bytes are the reason why every value holds a nonce.
 */
export type Tag = string;

export interface Abortable {
  readonly signal?: AbortSignal;
}

/** A stretch of bytes; at the end of the object it may be shorter than asked. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

export interface GetOptions extends Abortable {
  readonly range?: ByteRange;
  /** Memory that a driver may read into, from its start; then pieces are stretches of it. */
  readonly into?: Uint8Array;
}

export interface ListOptions extends Abortable {
  /** Only what comes after this key. */
  readonly after?: string;
  /** At most so many keys to a request, where lists come in pages. */
  readonly pageRows?: number;
}

/** What is to be put. It can be opened again, so that a failed try can be repeated and parts sent by themselves. */
export interface Body {
  readonly size: number;
  /** The bytes of `range`, or all of them, in pieces of at most 1 MiB that stay as they are until the put is done. */
  open(range?: ByteRange): AsyncIterable<Uint8Array>;
}

export interface Got {
  readonly tag: Tag;
  /** Of the whole object, whatever range was asked. */
  readonly size: number;
  /**
   * The bytes asked for; each piece stays as it is until the next is asked for. To be read to the end or left by
   * `return`; raises REMOTE_FAILED if it breaks off.
   */
  readonly body: AsyncIterable<Uint8Array>;
}

export interface Listed {
  readonly key: string;
  readonly tag: Tag;
  readonly size: number;
  /** When it was put, by the store's own clock; milliseconds since 1970. */
  readonly modified: number;
}

/** What went over the border so far: every try counts, and what protocol and headers add does not. */
export interface Traffic {
  readonly requests: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
}

/** One thing that was looked at in a store. */
export interface Checked {
  readonly check: string;
  readonly ok: boolean;
  /** What was seen, for people. */
  readonly detail: string;
  /** What cannot be done where it is not ok: use the store at all, share it among writers, or nothing worse than told. */
  readonly needed: 'use' | 'sharing' | 'advice';
}

/**
 * A flat space of keys: segments of `[A-Za-z0-9._@%-]`, none of them `.` or `..`, joined by `/`; at most 512 bytes,
 * a segment at most 250.
 *
 * Keys below `refs/` and the key `gc/state` (`isPointerKey`) are _pointers_: at most 1 KiB, created by `putIfAbsent`,
 * changed only by `putIfTag`. All others are written once, by `putIfAbsent`, and never change.
 *
 * Every method may raise REMOTE_UNREACHABLE (no answer, after retries), REMOTE_DENIED (not permitted),
 * BUCKET_NOT_FOUND, REMOTE_FAILED (any other refusal), INTERRUPTED (by the signal). Reads are retried inside, with jitter; so is a conditional write
 * of which the store says that it did not happen. A conditional write whose outcome is not known raises
 * REMOTE_UNCERTAIN: read the key again.
 */
export interface Bucket extends AsyncDisposable {
  /** Where it is, for people; never holds a password. */
  readonly url: string;
  /** The object, or undefined if there is none. An empty range past the end gives no bytes. */
  get(key: string, options?: GetOptions): Promise<Got | undefined>;
  /** Creates the object, durably, and gives its tag; undefined: there is one already and it stays as it is. */
  putIfAbsent(key: string, body: Body, options?: Abortable): Promise<Tag | undefined>;
  /** Replaces a pointer that still has `tag`, durably; undefined: it has another one, or is gone. */
  putIfTag(key: string, body: Body, tag: Tag, options?: Abortable): Promise<Tag | undefined>;
  /** All objects whose key begins with `prefix`, after `after` (exclusive), in the order of their bytes. */
  list(prefix: string, options?: ListOptions): AsyncIterable<Listed>;
  /** Removes the object, only if it has `tag` where one is given and the store can check it. Gives false if it was not there. */
  delete(key: string, options?: Abortable & { readonly tag?: Tag }): Promise<boolean>;
  /** The store's own clock; milliseconds since 1970. */
  time(options?: Abortable): Promise<number>;
  /** What the store knows of itself that putting and getting does not show; for the check of a bucket. Writes nothing. */
  inspect?(options?: Abortable): Promise<readonly Checked[]>;
  /** Counted by drivers that know better than `counting` does, since one call may be several requests. */
  readonly traffic?: Traffic;
}

const SEGMENT = /^(?!\.{1,2}$)[A-Za-z0-9._@%-]+$/;
const KEY_BYTES_MAX = 512;
// A key's segment is a file's name in a folder, and most file systems allow 255 bytes.
const SEGMENT_BYTES_MAX = 250;
const PIECE_BYTES = 1024 * 1024;

/** Tells whether `key` may be changed after it was put. */
export function isPointerKey(key: string): boolean {
  return key.startsWith('refs/') || key === 'gc/state';
}

/** Tells whether `key` may be one at all: drivers refuse the rest before they touch anything. */
export function isKey(key: string): boolean {
  const isSegment = (text: string) => text.length <= SEGMENT_BYTES_MAX && SEGMENT.test(text);
  return key.length <= KEY_BYTES_MAX && key.split('/').every(isSegment);
}

/** A body that lies in memory. */
export function bytesBody(bytes: Uint8Array): Body {
  return {
    size: bytes.length,
    async *open({ offset, length } = { offset: 0, length: bytes.length }) {
      const end = Math.min(offset + length, bytes.length);
      for (let at = offset; at < end; at += PIECE_BYTES) {
        yield bytes.subarray(at, Math.min(end, at + PIECE_BYTES));
      }
    },
  };
}

/** All bytes of a body, at most `bytesMax`: of more it gives undefined. They lie in `into` as far as that reaches. */
export async function readAll(
  pieces: AsyncIterable<Uint8Array>,
  bytesMax: number,
  { into }: { readonly into?: Uint8Array } = {},
): Promise<Uint8Array | undefined> {
  let bytes = into ?? new Uint8Array(0);
  let size = 0;
  for await (const piece of pieces) {
    const end = size + piece.length;
    if (end > bytesMax) return undefined;
    if (end > bytes.length) {
      const grown = Buffer.allocUnsafeSlow(size === 0 ? end : Math.min(bytesMax, Math.max(end, 2 * size)));
      grown.set(bytes.subarray(0, size));
      bytes = grown;
    }
    const isInPlace = piece.buffer === bytes.buffer && piece.byteOffset === bytes.byteOffset + size;
    if (!isInPlace) bytes.set(piece, size);
    size = end;
  }
  return bytes.subarray(0, size);
}
