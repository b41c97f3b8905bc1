/** Is the bucket that gc works at, with what it needs there. */
import { decodeBucketId, remoteKeys } from '#version';
import type { Context } from '#repo';
import type { Abortable, Bucket, Traffic } from './bucket.ts';
import { requireFormat } from './bucket-format.ts';
import { counting } from './counting.ts';
import { PackIndex } from './pack-index.ts';
import { RemoteReader } from './remote-reader.ts';

export class GcSite {
  readonly context: Context;
  /** The name it has here. */
  readonly remote: string;
  readonly bucket: Bucket & { readonly traffic: Traffic };
  readonly index: PackIndex;
  readonly #tell: (text: string) => void;
  readonly #told = new Set<string>();

  private constructor(
    context: Context,
    remote: string,
    bucket: Bucket & { readonly traffic: Traffic },
    id: string,
  ) {
    this.context = context;
    this.remote = remote;
    this.bucket = bucket;
    this.#tell = (text) => context.onWarning?.(text);
    this.index = new PackIndex(context.store.cache, bucket, id, this.watched);
  }

  /** Raises REMOTE_EMPTY for what is no bucket of art, REMOTE_TOO_NEW, REMOTE_REPLACED. */
  static async open(context: Context, remote: string, bucket: Bucket): Promise<GcSite> {
    const counted = counting(bucket);
    const { store, signal } = context;
    const record = await store.getRecord(remoteKeys.bucket(remote));
    const known = record && decodeBucketId(record);
    const { id } = await requireFormat(counted, { writing: true, known, ...(signal && { signal }) });
    return new GcSite(context, remote, counted, id);
  }

  get options(): Abortable {
    const { signal } = this.context;
    return signal === undefined ? {} : { signal };
  }

  /** The options of what may have to warn. */
  get watched(): Abortable & { readonly onWarning: (text: string) => void } {
    return { ...this.options, onWarning: (text) => this.warn(text) };
  }

  /** A reader that remembers nothing read before: what it gives is there now. */
  reader(): RemoteReader {
    return new RemoteReader(this.bucket, this.index, this.watched);
  }

  /** Says it once. */
  warn(text: string): void {
    if (this.#told.has(text)) return;
    this.#told.add(text);
    this.#tell(text);
  }
}
