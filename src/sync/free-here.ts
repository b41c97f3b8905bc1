/** Frees here what a remote has for certain: bytes of its versions, read there and verified just before. */
import { throwIfAborted } from '#base';
import type { Digest, ObjectId } from '#object';
import type { GcRequest, GcResult, Repository } from '#repo';
import type { Elsewhere } from '#store';
import { listVersions, loadArtifact } from '#version';
import type { Artifact } from '#version';
import type { ObjectAt } from './remote-reader.ts';
import type { SyncRequest } from './pull.ts';
import { RemoteSession } from './session.ts';
import { windowsOf } from './windows.ts';

/** Bytes that are read there in one go. */
const WINDOW_BYTES = 8 * 1024 * 1024;

export type FreeHereRequest = Pick<SyncRequest, 'remote' | 'bucket'> & Omit<GcRequest, 'elsewhere'>;

/**
 * As gc, and drops bytes of versions that the remote has, now and as last seen, in packs that are listed and not condemned.
 * Each is read there and verified first; a dry run looks only whether it is listed. What versions need that the
 * remote does not have stays. From then on the remote has promised what is gone. Raises REMOTE_EMPTY, PROMISE_BROKEN.
 */
export async function freeHere(
  repository: Repository,
  { remote, bucket, ...request }: FreeHereRequest,
): Promise<GcResult> {
  const session = new RemoteSession(repository.context, remote, bucket);
  const there = await artifactsThere(session);
  const dryRun = request.dryRun === true;
  if (!dryRun && there.length > 0) await session.takePromise();
  const prover = new Prover(session, { dryRun });
  const elsewhere: Elsewhere = {
    commits: (source) => commitsOf(source, there),
    prove: (ids) => prover.prove(ids),
  };
  return repository.gc({ ...request, elsewhere });
}

/** The artifacts there that have not changed since they were last seen from here. */
async function artifactsThere(session: RemoteSession): Promise<Artifact[]> {
  const { store, onWarning } = session.context;
  const artifacts: Artifact[] = [];
  const changed: string[] = [];
  for (const [name, tag] of await session.pointers()) {
    const seen = await session.seen(name);
    if (seen?.tag !== tag) changed.push(name);
    else if (seen.seen !== null) artifacts.push(await loadArtifact(store, seen.seen));
  }
  if (changed.length > 0)
    onWarning?.(
      `${changed.length} ${changed.length === 1 ? 'artifact' : 'artifacts'} at ${session.remote} changed since ` +
        `they were last fetched, and are left alone: \`art fetch ${session.remote}\` first`,
    );
  return artifacts;
}

async function* commitsOf(
  source: Parameters<Elsewhere['commits']>[0],
  artifacts: readonly Artifact[],
): AsyncGenerator<Digest, void> {
  for (const artifact of artifacts)
    for await (const batch of listVersions(source, artifact)) for (const { commit } of batch) yield commit;
}

class Prover {
  readonly #session: RemoteSession;
  readonly #dryRun: boolean;
  #objects = 0;
  #bytes = 0;

  constructor(session: RemoteSession, { dryRun }: { readonly dryRun: boolean }) {
    this.#session = session;
    this.#dryRun = dryRun;
  }

  /** Those of `ids` that a listed pack has which is not condemned. */
  async prove(ids: readonly ObjectId[]): Promise<ObjectId[]> {
    const index = await this.#session.openIndex();
    if (!index.fresh) await index.refresh();
    const places = await index.places(ids);
    const copies = ids.flatMap((id, i): ObjectAt[] => {
      const place = places[i].find(({ pack }) => !index.condemned.has(pack));
      return place === undefined ? [] : [{ id, place }];
    });
    if (this.#dryRun) return copies.map(({ id }) => id);
    const proven: ObjectId[] = [];
    const bytesOf = ({ place }: ObjectAt) => place.location.bytes;
    for (const window of windowsOf(copies, bytesOf, { bytesMax: WINDOW_BYTES }))
      proven.push(...(await this.#read(window)));
    return proven;
  }

  async #read(copies: readonly ObjectAt[]): Promise<ObjectId[]> {
    const { signal, onProgress } = this.#session.context;
    throwIfAborted(signal);
    const reader = await this.#session.openForReading();
    const contents = await reader.readCopies(copies);
    const whole = copies.filter((_, i) => contents[i] !== undefined);
    this.#objects += whole.length;
    for (const { place } of whole) this.#bytes += place.location.bytes;
    onProgress?.({ files: this.#objects, bytes: this.#bytes, what: 'object' });
    return whole.map(({ id }) => id);
  }
}
