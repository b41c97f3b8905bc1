/** Sets up clones that share a bucket in memory. */
import { MemoryBucket, collectRemote, fetch, promiseKeeper, pull, push } from '#sync';
import type { Bucket, RemoteGcRequest, RemoteGcResult, SyncRequest, SyncResult } from '#sync';
import { Scene } from '../repo/scene.ts';

type Asked = Partial<Omit<SyncRequest, 'bucket'>>;

/** One repository, and what it does with the bucket called origin. */
export class Clone implements AsyncDisposable {
  readonly scene: Scene;
  bucket: Bucket;
  /** Buckets of other remotes, by name. */
  readonly others = new Map<string, Bucket>();

  constructor(scene: Scene, bucket: Bucket) {
    this.scene = scene;
    this.bucket = bucket;
    scene.keeper = () => promiseKeeper(async (_, { name }) => this.others.get(name) ?? this.bucket);
  }

  static async make(bucket: Bucket): Promise<Clone> {
    const scene = await Scene.make();
    await scene.in(async (repository) => repository.addRemote({ name: 'origin', url: '/bucket' }));
    return new Clone(scene, bucket);
  }

  push(asked: Asked = {}): Promise<SyncResult> {
    return this.scene.in((repository) => push(repository, this.#request(asked)));
  }

  pull(asked: Asked = {}): Promise<SyncResult> {
    return this.scene.in((repository) => pull(repository, this.#request(asked)));
  }

  fetch(asked: Asked = {}): Promise<SyncResult> {
    return this.scene.in((repository) => fetch(repository, this.#request(asked)));
  }

  /** gc of the bucket; at once, unless asked otherwise. */
  gc(asked: Partial<Omit<RemoteGcRequest, 'bucket'>> = {}): Promise<RemoteGcResult> {
    const request = { remote: 'origin', bucket: this.bucket, minAgeMs: 0, graceMs: 0, ...asked };
    return this.scene.in((repository) => collectRemote(repository, request));
  }

  /** Deletes a version here. */
  async remove(name: string, number: number): Promise<void> {
    const request = { targets: [`${name}:v${number}`], force: true };
    await this.scene.in((repository) => repository.delete(request));
  }

  /** Commits these files as the whole of `name`; gives the version. */
  async commit(name: string, files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
    const folder = `in-${name}`;
    if (this.scene.exists(folder)) this.scene.write({ [folder]: null });
    this.scene.write(
      Object.fromEntries(Object.entries(files).map(([path, content]) => [`${folder}/${path}`, content])),
    );
    const [result] = await this.scene.in((repository) =>
      repository.commit({ name, paths: [folder], bind: false }),
    );
    return result.version!;
  }

  alias(spec: string, ...aliases: string[]) {
    return this.scene.in((repository) => repository.alias(spec, aliases));
  }

  /** Number, commit, aliases and tags of every version, newest first. */
  async versions(name: string): Promise<string[]> {
    return this.scene.in(async (repository) => {
      const rows: string[] = [];
      for await (const { version, cid, aliases, tags } of repository.log(name))
        rows.push([version, cid.slice(-8), ...aliases, ...tags.map((tag) => `#${tag}`)].join(' '));
      return rows;
    });
  }

  async names(): Promise<string[]> {
    return this.scene.in(async (repository) => (await repository.list()).map(({ name }) => name));
  }

  /** What a version checks out as. */
  async contents(spec: string): Promise<Record<string, string>> {
    const folder = `out-${spec.replace(/[^A-Za-z0-9]/g, '-')}`;
    if (this.scene.exists(folder)) this.scene.write({ [folder]: null });
    await this.scene.in((repository) => repository.download({ spec, dir: folder }));
    return this.scene.contents(folder);
  }

  async check(): Promise<void> {
    const { ok, problems } = await this.scene.in((repository) => repository.fsck({ deep: true }));
    if (!ok) throw new Error(problems.join('\n'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.scene[Symbol.asyncDispose]();
  }

  #request(asked: Asked): SyncRequest {
    const bucket = this.others.get(asked.remote ?? 'origin') ?? this.bucket;
    return { remote: 'origin', bucket, ...asked };
  }
}

/** Two clones of one bucket. */
export async function twoClones(): Promise<{ bucket: MemoryBucket; ada: Clone; ben: Clone }> {
  const bucket = new MemoryBucket();
  return { bucket, ada: await Clone.make(bucket), ben: await Clone.make(bucket) };
}
