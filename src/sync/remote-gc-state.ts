/** Defines the bytes of gc/state, which says how far the newest epoch of gc has come, and moves it forward. */
import { randomBytes } from 'node:crypto';
import { ArtError, ByteReader, ByteWriter, crc32c, equalBytes, isArtError, toHex } from '#base';
import { bytesBody, readAll } from './bucket.ts';
import type { Abortable, Bucket, Tag } from './bucket.ts';
import { GC_STATE_KEY } from './keys.ts';
import { pauseBeforeTry } from './swap-pointer.ts';

/** In the order in which an epoch goes through them. */
const GC_PHASES = ['condemned', 'fenced', 'swept'] as const;
export type GcPhase = (typeof GC_PHASES)[number];

export interface GcState {
  readonly epoch: number;
  readonly phase: GcPhase;
  /** Who brought it there, for people. */
  readonly writer: string;
  /** Tells one swap from another: 32 hex characters. */
  readonly nonce: string;
}

const MAGIC = Buffer.from('ARTGCST');
const FORMAT = 1;
const STATE_BYTES_MAX = 1024;
const NONCE_BYTES = 16;
const WRITER_CHARACTERS_MAX = 64;
const TRIES = 8;

export function encodeGcState({ epoch, phase, writer, nonce }: GcState): Uint8Array {
  const bytes = new ByteWriter(128).bytes(MAGIC).u8(FORMAT).u8(GC_PHASES.indexOf(phase)).varint(epoch);
  bytes.text([...writer].slice(0, WRITER_CHARACTERS_MAX).join('')).bytes(Buffer.from(nonce, 'hex'));
  return bytes.u32(crc32c(bytes.view())).take();
}

/** Decodes a state, or raises REMOTE_CORRUPT, REMOTE_TOO_NEW naming `what`. */
export function decodeGcState(bytes: Uint8Array, what: string): GcState {
  try {
    const reader = new ByteReader(bytes, what);
    if (!equalBytes(reader.bytes(MAGIC.length), MAGIC)) throw reader.invalid('is no state of gc');
    const format = reader.u8();
    if (format !== FORMAT)
      throw new ArtError('REMOTE_TOO_NEW', `${what} has format ${format}; this art knows ${FORMAT}`);
    const phase: GcPhase | undefined = GC_PHASES[reader.u8()];
    if (phase === undefined) throw reader.invalid('has a phase that cannot be');
    const state = {
      phase,
      epoch: reader.varint(),
      writer: reader.text(),
      nonce: toHex(reader.bytes(NONCE_BYTES)),
    };
    if (!equalBytes(encodeGcState(state), bytes)) throw reader.invalid('is damaged');
    return state;
  } catch (error) {
    if (isArtError(error, 'OBJECT_INVALID'))
      throw new ArtError('REMOTE_CORRUPT', error.message, { cause: error });
    throw error;
  }
}

/** How far gc has come; undefined before the first. Raises REMOTE_CORRUPT, REMOTE_TOO_NEW. */
export async function readGcState(
  bucket: Bucket,
  options: Abortable,
): Promise<{ readonly state: GcState; readonly tag: Tag } | undefined> {
  const got = await bucket.get(GC_STATE_KEY, options);
  if (got === undefined) return undefined;
  const bytes = (await readAll(got.body, STATE_BYTES_MAX)) ?? new Uint8Array(0);
  return { state: decodeGcState(bytes, `${GC_STATE_KEY} in ${bucket.url}`), tag: got.tag };
}

/** Notes that `epoch` has come to `phase`, unless it is noted to be there or further. */
export async function advanceGcState(
  bucket: Bucket,
  to: Omit<GcState, 'nonce'>,
  options: Abortable,
): Promise<void> {
  const body = bytesBody(encodeGcState({ ...to, nonce: randomBytes(NONCE_BYTES).toString('hex') }));
  for (let attempt = 1; ; attempt++) {
    const now = await readGcState(bucket, options);
    if (now !== undefined && !isBefore(now.state, to)) return;
    try {
      const tag =
        now === undefined
          ? await bucket.putIfAbsent(GC_STATE_KEY, body, options)
          : await bucket.putIfTag(GC_STATE_KEY, body, now.tag, options);
      if (tag !== undefined) return;
    } catch (error) {
      if (!isArtError(error, 'REMOTE_UNCERTAIN') || attempt === TRIES) throw error;
    }
    await pauseBeforeTry(attempt, options.signal);
  }
}

function isBefore(a: GcState, b: Omit<GcState, 'nonce'>): boolean {
  return (
    a.epoch < b.epoch || (a.epoch === b.epoch && GC_PHASES.indexOf(a.phase) < GC_PHASES.indexOf(b.phase))
  );
}
