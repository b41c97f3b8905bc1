/** Says what a bucket is: whose it is, and which art may read and write it. Put once, never changed. */
import { randomBytes } from 'node:crypto';
import { ArtError, isArtError, utf8 } from '#base';
import { CHUNKER_ID } from '#object';
import { bytesBody, readAll } from './bucket.ts';
import type { Abortable, Bucket } from './bucket.ts';
import { requireShared } from './conformance.ts';
import { FORMAT_KEY, isProbe } from './keys.ts';

export interface BucketFormat {
  /** Of the repository in the bucket: 32 hex characters. */
  readonly id: string;
}

/** What this art reads and writes. */
const VERSION = 1;
const FORMAT_BYTES_MAX = 4096;
/** How often a put of unknown outcome is looked after. */
const TRIES = 5;
const HASH = 'blake3-256';

/** One line of JSON, readable for people who look into a bucket. */
export function encodeFormat({ id }: BucketFormat): Uint8Array {
  const fields = {
    art: 'bucket',
    id,
    minReader: VERSION,
    minWriter: VERSION,
    hash: HASH,
    chunker: CHUNKER_ID,
  };
  return utf8(`${JSON.stringify(fields)}\n`);
}

/** Raises REMOTE_CORRUPT, REMOTE_TOO_NEW. `for` writing more may be needed than for reading. */
export function decodeFormat(
  bytes: Uint8Array,
  options: { readonly url: string; readonly writing: boolean },
): BucketFormat {
  const { url, writing } = options;
  const corrupt = (why: string) =>
    new ArtError('REMOTE_CORRUPT', `${JSON.stringify(url)}: its file "format" ${why}`);
  const fields = parse(bytes);
  if (fields === undefined || fields['art'] !== 'bucket') throw corrupt('is not one that art writes');
  const needed = fields[writing ? 'minWriter' : 'minReader'];
  if (typeof needed !== 'number' || !Number.isSafeInteger(needed) || needed < 1)
    throw corrupt('does not say which art may use it');
  if (needed > VERSION) {
    const what = writing ? 'write to' : 'read';
    throw new ArtError(
      'REMOTE_TOO_NEW',
      `${JSON.stringify(url)} needs format ${needed} to ${what} it; this art knows ${VERSION}`,
    );
  }
  if (fields['hash'] !== HASH) throw corrupt(`names a hash that this art does not know`);
  const id = fields['id'];
  if (typeof id !== 'string' || !/^[0-9a-f]{32}$/.test(id)) throw corrupt('names no repository');
  return { id };
}

/** The format of the bucket, or undefined if there is none. Raises REMOTE_CORRUPT, REMOTE_TOO_NEW. */
async function readFormat(
  bucket: Bucket,
  options: Abortable & { readonly writing: boolean },
): Promise<BucketFormat | undefined> {
  const got = await bucket.get(FORMAT_KEY, options);
  if (got === undefined) return undefined;
  const bytes = await readAll(got.body, FORMAT_BYTES_MAX);
  return decodeFormat(bytes ?? new Uint8Array(0), { url: bucket.url, writing: options.writing });
}

/**
 * Makes an empty bucket ours, or gives the format of one that is. An empty one is first tried for the conditions that
 * nothing is lost by. Raises REMOTE_NOT_ART for one that holds something else, which is left as it is, REMOTE_UNSHARED,
 * REMOTE_DENIED, REMOTE_UNCERTAIN where replies stay lost, and REMOTE_REPLACED for one that is not `known`, or is empty again.
 */
export async function claimBucket(
  bucket: Bucket,
  options: Abortable & { readonly now: () => number; readonly known?: string | undefined },
  attempt = 1,
): Promise<BucketFormat> {
  const found = await readFormat(bucket, { ...options, writing: true });
  if (found !== undefined) return requireKnown(bucket, found, options.known);
  const key = await firstKey(bucket, options);
  if (key !== undefined) {
    // Another first push may have begun and come further since we looked.
    const made = await readFormat(bucket, { ...options, writing: true });
    if (made !== undefined) return made;
    throw new ArtError(
      'REMOTE_NOT_ART',
      `${JSON.stringify(bucket.url)} is no bucket of art, and not empty: it holds ${JSON.stringify(key)}`,
    );
  }
  if (options.known !== undefined) throw replaced(bucket, 'is empty');
  const fresh = { id: randomBytes(16).toString('hex') };
  try {
    await requireShared(bucket, 'would lose what several push at once', options);
    const tag = await bucket.putIfAbsent(FORMAT_KEY, bytesBody(encodeFormat(fresh)), options);
    if (tag !== undefined) return fresh;
  } catch (error) {
    // Whoever's it is now, it is to be read; and if it is nobody's, it is tried again.
    if (!isArtError(error, 'REMOTE_UNCERTAIN') || attempt === TRIES) throw error;
    return claimBucket(bucket, options, attempt + 1);
  }
  const theirs = await readFormat(bucket, { ...options, writing: true });
  if (theirs === undefined)
    throw new ArtError('REMOTE_FAILED', `${JSON.stringify(bucket.url)} does not keep what is put into it`);
  return theirs;
}

/**
 * The format of a bucket of art. Raises REMOTE_EMPTY for what is none, REMOTE_TOO_NEW, and REMOTE_REPLACED for one that is
 * not `known`, or is gone.
 */
export async function requireFormat(
  bucket: Bucket,
  options: Abortable & { readonly writing: boolean; readonly known?: string | undefined },
): Promise<BucketFormat> {
  const format = await readFormat(bucket, options);
  if (format !== undefined) return requireKnown(bucket, format, options.known);
  if (options.known !== undefined) throw replaced(bucket, 'is empty');
  throw new ArtError('REMOTE_EMPTY', `there is no bucket of art at ${JSON.stringify(bucket.url)}`);
}

/** Gives `format` if it is that of the bucket `known`, where one is. Raises REMOTE_REPLACED. */
function requireKnown(bucket: Bucket, format: BucketFormat, known: string | undefined): BucketFormat {
  if (known === undefined || known === format.id) return format;
  throw replaced(bucket, 'holds another bucket');
}

function replaced(bucket: Bucket, now: string): ArtError {
  const message = `${JSON.stringify(bucket.url)} ${now}: the one that was seen there is gone`;
  return new ArtError('REMOTE_REPLACED', message);
}

/** The first key in the bucket that no check has put there. */
async function firstKey(bucket: Bucket, options: Abortable): Promise<string | undefined> {
  for await (const { key } of bucket.list('', options)) if (!isProbe(key)) return key;
  return undefined;
}

function parse(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined; // The caller says what it is not.
  }
}
