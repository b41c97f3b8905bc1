/** One command's dealings with one remote: what is there, what is remembered of it, and how it is read. */
import { ArtError, isArtError } from '#base';
import type { Digest } from '#object';
import type { Context } from '#repo';
import type { NodeSource, RecordSource } from '#store';
import {
  decodeBucketId,
  decodeConflicts,
  decodePromise,
  decodeSeen,
  encodePromise,
  foldName,
  loadArtifact,
  parseArtifactName,
  promiseKeys,
  remoteKeys,
} from '#version';
import type { ArtifactName, RemoteSeen } from '#version';
import { readAll } from './bucket.ts';
import type { Bucket, Tag, Traffic } from './bucket.ts';
import { claimBucket, requireFormat } from './bucket-format.ts';
import { counting } from './counting.ts';
import { fetchClosure } from './fetch-closure.ts';
import { PACKS, POINTERS, artifactOfPointer, pointerKey } from './keys.ts';
import { Landing } from './landing.ts';
import type { SavedArtifact } from './merge-artifacts.ts';
import { PackIndex } from './pack-index.ts';
import { POINTER_BYTES_MAX, decodePointer } from './pointer.ts';
import type { Pointer } from './pointer.ts';
import { pointersGone, requireNewer, seenPointers } from './put-back.ts';
import { RemoteReader } from './remote-reader.ts';

/** How often a fetch begins anew because gc took what it built on. */
const TRIES = 5;

export interface SeenPointer {
  readonly tag: Tag;
  readonly bytes: Uint8Array;
  readonly pointer: Pointer;
}

export class RemoteSession {
  readonly context: Context;
  /** The name it has here. */
  readonly remote: string;
  readonly bucket: Bucket & { readonly traffic: Traffic };
  /** What had gone over the border before. */
  readonly #before: Traffic;
  objects = 0;
  readonly #overruled = new Set<string>();
  #fetchedBytes = 0;
  #opening: Promise<void> | undefined;
  #opened: { readonly id: string; readonly index: PackIndex; readonly reader: RemoteReader } | undefined;

  constructor(context: Context, remote: string, bucket: Bucket) {
    this.context = context;
    this.remote = remote;
    this.bucket = counting(bucket);
    const { requests, bytesSent, bytesReceived } = this.bucket.traffic;
    this.#before = { requests, bytesSent, bytesReceived };
  }

  /** Requests, and bytes both ways, of this session. */
  get cost(): { readonly bytes: number; readonly requests: number } {
    const { requests, bytesSent, bytesReceived } = this.bucket.traffic;
    const before = this.#before;
    const bytes = bytesSent - before.bytesSent + bytesReceived - before.bytesReceived;
    return { bytes, requests: requests - before.requests };
  }

  get options(): { readonly signal?: AbortSignal } {
    const { signal } = this.context;
    return signal === undefined ? {} : { signal };
  }

  /** The tags of all pointers, by artifact; one request. */
  async pointers(): Promise<Map<ArtifactName, Tag>> {
    const tags = new Map<ArtifactName, Tag>();
    for await (const { key, tag } of this.bucket.list(POINTERS, this.options)) {
      const name = artifactOfPointer(key);
      if (name !== undefined) tags.set(name, tag);
    }
    return tags;
  }

  /**
   * The pointer of `name`, or undefined. What is remembered under `tag` is not asked for again. Raises REMOTE_CORRUPT,
   * REMOTE_REPLACED, and REMOTE_REWRITTEN if it is older than the one that is remembered.
   */
  async pointer(name: ArtifactName, tag?: Tag): Promise<SeenPointer | undefined> {
    const known = await this.seen(name); // First: what is read after it cannot be older, unless it was put back.
    const what = `the pointer of "${name}" in ${this.bucket.url}`;
    const before = known && decodePointer(known.pointer, what);
    if (before !== undefined && known!.tag === tag) return { tag, bytes: known!.pointer, pointer: before };
    await this.openForReading();
    const got = await this.bucket.get(pointerKey(name), this.options);
    const bytes = got && (await readAll(got.body, POINTER_BYTES_MAX));
    if (got !== undefined && bytes === undefined)
      throw new ArtError('REMOTE_CORRUPT', `${what} is longer than any pointer`);
    const pointer = bytes && decodePointer(bytes, what);
    if (before !== undefined) requireNewer(pointer, before, { name, remote: this.remote });
    return pointer && { tag: got!.tag, bytes: bytes!, pointer };
  }

  /** What is remembered of `name` there. */
  async seen(name: ArtifactName, source: RecordSource = this.context.store): Promise<RemoteSeen | undefined> {
    const bytes = await source.getRecord(remoteKeys.seen(this.remote, name));
    return bytes === undefined ? undefined : decodeSeen(bytes);
  }

  /** Whether a command beside this one has seen `name` further on than `pointer`: what was read with it is old news. */
  async isBehind(name: ArtifactName, pointer: Pointer, source?: RecordSource): Promise<boolean> {
    const seen = await this.seen(name, source);
    return seen !== undefined && decodePointer(seen.pointer, `the pointer of "${name}"`).seq > pointer.seq;
  }

  /** Raises REMOTE_CORRUPT if there are packs and no pointer at all, of which the first push makes one before its first pack. */
  async requirePointers(): Promise<void> {
    for await (const _ of this.bucket.list(PACKS, this.options)) {
      for await (const __ of this.bucket.list(POINTERS, this.options)) return;
      throw pointersGone(this.bucket.url);
    }
  }

  /** Artifacts that were seen there and have no pointer among `tags`. */
  async vanished(tags: ReadonlyMap<ArtifactName, Tag>): Promise<Set<ArtifactName>> {
    const seen = await seenPointers(this.context.store, this.remote);
    return new Set([...seen.keys()].filter((name) => !tags.has(name)));
  }

  /** Conflicts over aliases that somebody has settled here: what theirs was. */
  async settled(
    name: ArtifactName,
    source: RecordSource = this.context.store,
  ): Promise<ReadonlyMap<string, number>> {
    const bytes = await source.getRecord(remoteKeys.conflicts(name, this.remote));
    const conflicts = bytes === undefined ? [] : decodeConflicts(bytes);
    return new Map(conflicts.flatMap(({ alias, theirs, settled }) => (settled ? [[alias, theirs]] : [])));
  }

  /** The id of the bucket that this remote was when something was last remembered of it. */
  async knownBucket(): Promise<string | undefined> {
    const bytes = await this.context.store.getRecord(remoteKeys.bucket(this.remote));
    return bytes === undefined ? undefined : decodeBucketId(bytes);
  }

  /** The id of the bucket, once it was opened. */
  get bucketId(): string | undefined {
    return this.#opened?.id;
  }

  /** Whether only history is fetched from the remote. */
  async isLazy(): Promise<boolean> {
    const record = await this.context.store.getRecord(promiseKeys.of(this.remote));
    return record !== undefined && decodePromise(record).lazy;
  }

  /** Takes the remote's promise of all that is absent here below its versions; how it is fetched stays as it is. */
  async takePromise(): Promise<void> {
    const { store, now } = this.context;
    const record = await store.getRecord(promiseKeys.of(this.remote));
    await this.openForReading();
    const { id: bucket } = this.#opened!;
    if (record !== undefined && decodePromise(record).bucket === bucket) return;
    if (record !== undefined) throw notThePromiser(this.bucket.url, this.remote);
    await using tx = await store.begin();
    await tx.publish(async (locked) =>
      locked.setRecord(promiseKeys.of(this.remote), encodePromise({ bucket, lazy: false, since: now() })),
    );
  }

  /** Says how it is fetched from now on; `lazy` takes the remote's promise of all that is not fetched. */
  async setLazy({ lazy }: { readonly lazy: boolean }): Promise<void> {
    if ((await this.isLazy()) === lazy) return;
    await this.openForReading();
    const { id: bucket } = this.#opened!;
    const promise = encodePromise({ bucket, lazy, since: this.context.now() });
    await using tx = await this.context.store.begin();
    await tx.publish(async (locked) => locked.setRecord(promiseKeys.of(this.remote), promise));
  }

  /** Makes the bucket ours if it is empty. Raises REMOTE_NOT_ART, REMOTE_TOO_NEW, REMOTE_UNSHARED, REMOTE_REPLACED. */
  async openForWriting(): Promise<PackIndex> {
    const { now } = this.context;
    if (this.#opened === undefined) {
      const known = await this.knownBucket();
      this.#open((await claimBucket(this.bucket, { ...this.options, now, known })).id);
    }
    return this.#opened!.index;
  }

  /** Raises REMOTE_EMPTY, REMOTE_TOO_NEW, REMOTE_REPLACED. */
  async openForReading(): Promise<RemoteReader> {
    if (this.#opened === undefined) {
      // Pointers are read several at once: the bucket is looked at once for all of them.
      this.#opening ??= this.#look().finally(() => (this.#opening = undefined));
      await this.#opening;
    }
    return this.#opened!.reader;
  }

  /** Where everything in the bucket is; raises as `openForReading`. */
  async openIndex(): Promise<PackIndex> {
    await this.openForReading();
    return this.#opened!.index;
  }

  /**
   * Brings these states here, with all they keep alive, or their history alone if the remote has promised the rest; `hint`
   * names packs to look into first.
   */
  async fetch(states: readonly Digest[], hint: readonly string[] = []): Promise<void> {
    const { store, signal, onProgress } = this.context;
    const lazy = await this.isLazy();
    for (let attempt = 1; ; attempt++) {
      const landing = new Landing(store, { promised: lazy ? 'content' : 'nothing' });
      try {
        const missing = await landing.missing(states.map((digest) => ({ kind: 1, digest }) as const));
        if (missing.length === 0) return;
        const reader = await this.openForReading();
        if (hint.length > 0 && !this.#opened!.index.fresh) await this.#opened!.index.take(hint);
        const onFetched = (objects: number, bytes: number) => {
          this.objects += objects;
          this.#fetchedBytes += bytes;
          onProgress?.({ files: this.objects, bytes: this.#fetchedBytes, what: 'object' });
        };
        const digests = missing.map(({ digest }) => digest);
        return await fetchClosure(reader, landing, digests, { lazy, onFetched, ...(signal && { signal }) });
      } catch (error) {
        if (!isArtError(error, 'REUSED_GONE') || attempt === TRIES) throw error;
      }
    }
  }

  /** The artifact whose state is `digest`, which is here. Raises REMOTE_CORRUPT if it is another artifact's. */
  async load(
    name: ArtifactName,
    digest: Digest,
    source: NodeSource = this.context.store,
  ): Promise<SavedArtifact> {
    const artifact = await loadArtifact(source, digest);
    if (artifact.state.name !== name) {
      throw new ArtError(
        'REMOTE_CORRUPT',
        `the pointer of "${name}" in ${this.bucket.url} leads to "${artifact.state.name}"`,
      );
    }
    return { ...artifact, saved: digest };
  }

  /** Tells, once, of what somebody said there and what was said here is kept instead. */
  tellOverruled(words: readonly string[]): void {
    for (const what of words) {
      if (this.#overruled.has(what)) continue;
      this.#overruled.add(what);
      this.context.onWarning?.(`${what} was changed here and at ${this.remote}: what it is here stays`);
    }
  }

  async #look(): Promise<void> {
    const known = await this.knownBucket();
    this.#open((await requireFormat(this.bucket, { ...this.options, writing: false, known })).id);
  }

  #open(id: string): void {
    const { store, onWarning } = this.context;
    const options = { ...this.options, ...(onWarning && { onWarning }) };
    const index = new PackIndex(store.cache, this.bucket, id, options);
    this.#opened = { id, index, reader: new RemoteReader(this.bucket, index, options) };
  }
}

export function notThePromiser(url: string, remote: string): ArtError {
  return new ArtError(
    'PROMISE_BROKEN',
    `${JSON.stringify(url)} is not the bucket that promised, as ${remote}, what is missing here`,
    { hint: 'Let the remote lead to the bucket it led to: `art remote list` shows where it leads now.' },
  );
}

/** The names asked for, checked; each once. */
export function namesOf(names: readonly string[] | undefined): ArtifactName[] {
  return [...new Set((names ?? []).map(parseArtifactName))];
}

/** Raises NAME_TAKEN if a name at the remote differs from `name` by case only. */
export function refuseTwin(name: ArtifactName, there: Iterable<ArtifactName>, remote: string): void {
  for (const other of there) {
    if (other !== name && foldName(other) === foldName(name))
      throw new ArtError('NAME_TAKEN', `"${name}" differs from "${other}" at ${remote} by case only`);
  }
}
