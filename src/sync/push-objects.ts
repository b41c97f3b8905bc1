/** Finds and sends the objects that plans need and no usable pack of the remote holds. */
import { join } from 'node:path';
import type { ObjectId } from '#object';
import type { RepositoryContext } from '#repo';
import { promisedAnything } from '#repo';
import type { NodeSource } from '#store';
import type { ArtifactName } from '#version';
import { ContentSender } from './content-sender.ts';
import { neededObjects } from './needed.ts';
import type { Needed } from './needed.ts';
import type { PackIndex } from './pack-index.ts';
import { PackUploader } from './pack-uploader.ts';
import { isSame } from './push-plan.ts';
import type { Plan } from './push-plan.ts';
import { RecentDigests } from './recent-digests.ts';
import type { RemoteSession } from './session.ts';

type Sides = Pick<Plan, 'merged' | 'there'>;

/**
 * `anew`: what the pointers have counts for nothing, as some of the packs that should hold it are damaged or gone. All that
 * versions need is then looked for in those that are whole.
 */
export type Trust = 'pointers' | 'anew';

/** Sends what the plans need and no usable pack holds; gives the new packs. */
export async function sendAll(
  context: RepositoryContext,
  session: RemoteSession,
  index: PackIndex,
  plans: readonly Plan[],
  trust: Trust,
): Promise<readonly string[]> {
  return upload(context, session, index, absentThere(context, index, plans, trust));
}

/**
 * Sends what is here of what `names` at the remote, as last seen, keep alive, and no usable pack holds; says whether there
 * was any. What is only promised is passed over: if the remote has lost it, others may have it.
 */
export async function sendHere(
  context: RepositoryContext,
  session: RemoteSession,
  index: PackIndex,
  names: readonly ArtifactName[],
): Promise<boolean> {
  const packs = await upload(context, session, index, objectsHere(context, session, index, names));
  return packs.length > 0;
}

async function upload(
  context: RepositoryContext,
  session: RemoteSession,
  index: PackIndex,
  needed: AsyncIterable<Needed>,
): Promise<readonly string[]> {
  const { bucket } = session;
  const { store, now, signal, onProgress } = context;
  let sentBytes = 0;
  const uploader = await PackUploader.make(bucket, index, {
    journal: join(context.tmp, `push-${session.remote}`),
    now,
    ...(signal && { signal }),
    onSent: (objects, bytes) => {
      session.objects += objects;
      sentBytes += bytes;
      onProgress?.({ files: session.objects, bytes: sentBytes, what: 'object' });
    },
  });
  try {
    const content = new ContentSender(store.reader(), uploader);
    for await (const { ids, nodes } of needed) {
      if (nodes === undefined) await content.put(ids);
      else for (const [i, { kind, digest }] of ids.entries()) await uploader.put(kind, digest, nodes[i]);
    }
    await content.finish();
    await uploader.finish();
  } finally {
    await uploader.settle();
  }
  return uploader.packs;
}

async function* objectsHere(
  { disk, signal }: RepositoryContext,
  session: RemoteSession,
  index: PackIndex,
  names: readonly ArtifactName[],
): AsyncGenerator<Needed> {
  const found = new RecentDigests();
  const options = { here: disk, ...(signal && { signal }) };
  for (const name of names) {
    const seen = (await session.seen(name))?.seen ?? null;
    if (seen === null) continue;
    const state = await session.load(name, seen);
    for await (const needed of neededObjects(disk, state, undefined, found, options))
      yield await lackedBy(index, needed);
  }
}

async function* absentThere(
  { store, disk, promises, signal }: RepositoryContext,
  index: PackIndex | undefined,
  plans: readonly Sides[],
  trust: Trust,
): AsyncGenerator<Needed> {
  const promised = await promisedAnything(disk);
  for await (const absent of absentIds(store, index, plans, { trust, ...(signal && { signal }) })) {
    // All in one go, not as they are read.
    if (promised && absent.nodes === undefined) await promises.bring(absent.ids);
    yield absent;
  }
}

/** What no usable pack holds; with the bytes of nodes, as they were read already. */
async function* absentIds(
  source: NodeSource,
  index: PackIndex | undefined,
  plans: readonly Sides[],
  options: { readonly signal?: AbortSignal; readonly trust?: Trust },
): AsyncGenerator<Needed> {
  const found = new RecentDigests();
  for (const { merged, there } of plans) {
    const anew = options.trust === 'anew';
    if (isSame({ merged, there }) && !anew) continue;
    const had = anew ? undefined : there;
    for await (const needed of neededObjects(source, merged, had, found, options))
      yield index === undefined ? needed : await lackedBy(index, needed);
  }
}

async function lackedBy(index: PackIndex, { ids, nodes }: Needed): Promise<Needed> {
  const usable = await index.reusable(ids);
  return { ids: ids.filter((_, i) => !usable[i]), nodes: nodes?.filter((_, i) => !usable[i]) };
}

/** Before anything is sent: is what is not here where it was promised? Raises PROMISE_BROKEN. */
export async function checkPromised(
  { store, disk, promises, signal }: RepositoryContext,
  index: PackIndex,
  plans: readonly Plan[],
): Promise<void> {
  if (!(await promisedAnything(disk))) return;
  for await (const { ids, nodes } of absentIds(store, index, plans, { ...(signal && { signal }) }))
    if (nodes === undefined) await promises.check(ids);
}

/** Counts what sending would be, as far as that can be told without asking the remote; no content is read. */
export async function countNeeded(
  context: RepositoryContext,
  plans: readonly Sides[],
  source: NodeSource,
): Promise<{ readonly objects: number; readonly bytes: number }> {
  let [objects, bytes] = [0, 0];
  const options = { ...(context.signal && { signal: context.signal }) };
  for await (const { ids, nodes } of absentIds(source, undefined, plans, options)) {
    objects += ids.length;
    bytes += nodes?.reduce((sum, { length }) => sum + length, 0) ?? (await bytesHere(context, ids));
  }
  return { objects, bytes };
}

// Of what is only promised the length is not known, and nothing is brought to learn it.
async function bytesHere({ disk }: RepositoryContext, ids: readonly ObjectId[]): Promise<number> {
  const lengths = await disk.lengths(ids);
  return lengths.reduce<number>((sum, length) => sum + (length ?? 0), 0);
}
