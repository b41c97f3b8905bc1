/** Condemns packs: writes the list of an epoch, which nobody builds on from then on. */
import { ArtError, isArtError } from '#base';
import { bytesBody } from './bucket.ts';
import { encodeCondemned } from './condemned.ts';
import type { Inventory } from './remote-gc-inventory.ts';
import type { Marker } from './remote-gc-mark.ts';
import { rescue } from './remote-gc-rescue.ts';
import type { GcSite } from './remote-gc-site.ts';
import { advanceGcState, readGcState } from './remote-gc-state.ts';
import { survey } from './remote-gc-survey.ts';
import type { Survey } from './remote-gc-survey.ts';
import { EPOCH_MAX, condemnedKey, indexKey } from './keys.ts';
import type { PackId } from './keys.ts';
import { indexedPack } from './pack-index.ts';
import { readPackIndex } from './read-pack-index.ts';
import { pauseBeforeTry } from './swap-pointer.ts';

export interface Condemned {
  /** 0 if there was nothing to condemn and nothing left over. */
  readonly epoch: number;
  /** Packs of the list, ours or the one that somebody else wrote first; of a dry run those that would be. */
  readonly packs: number;
  readonly bytes: number;
  /** Bytes of new packs; of a dry run about. */
  readonly copiedBytes: number;
  readonly young: number;
}

/** A list holds 400,000 at most; the rest is for the next epoch. */
const PACKS_MAX = 300_000;
const TRIES = 8;

/** `inventory` was taken before `marker` marked. All earlier epochs have been swept. */
export async function condemn(
  site: GcSite,
  inventory: Inventory,
  marker: Marker,
  options: { readonly minAgeMs: number; readonly dryRun: boolean },
): Promise<Condemned> {
  const { condemned } = site.index;
  marker.requirePointers(inventory);
  const epoch = await nextEpoch(site, marker);
  const found = await survey(site, inventory, marker, options);
  marker.rest();
  const leftOver = [...inventory.leftOver(condemned.newest)];
  if (options.dryRun) return forecast(inventory, found);

  await restoreIndexes(site, found.unindexed);
  const { emptied, copiedBytes } = await rescue(site, inventory, marker, [...found.sparse, ...leftOver]);
  const freed = new Set(emptied);
  const list = [...found.dead, ...found.sparse.filter((pack) => freed.has(pack))].slice(0, PACKS_MAX);
  const none = { epoch: 0, packs: 0, bytes: 0, copiedBytes, young: found.young };
  // What is left over can only go after another fence and mark: an epoch of its own, even if it condemns nothing new.
  if (list.length === 0 && !leftOver.some((pack) => freed.has(pack))) return none;

  await writeList(site, epoch, list);
  await condemned.refresh();
  await advanceGcState(site.bucket, { epoch, phase: 'condemned', writer: site.context.author }, site.options);
  const written = [...condemned.only(epoch)];
  const bytes = written.reduce((sum, pack) => sum + inventory.bytesOf(pack), 0);
  return { epoch, packs: written.length, bytes, copiedBytes, young: found.young };
}

/**
 * The epoch after the newest of which there is a list, or after those to which pointers were brought, if their lists were
 * lost: such pointers are fenced already, and keep no older plan from being published. Raises REMOTE_CORRUPT.
 */
async function nextEpoch(site: GcSite, marker: Marker): Promise<number> {
  const { newest } = site.index.condemned;
  const state = (await readGcState(site.bucket, site.options))?.state;
  const reached = Math.max(marker.epoch, state?.epoch ?? 0);
  // Where the list is there, somebody beside us has written it since we looked.
  const isLost = reached > newest && (await isAbsent(site, reached));
  const epoch = (isLost ? reached : newest) + 1;
  if (epoch > EPOCH_MAX)
    throw new ArtError('REMOTE_CORRUPT', `the epochs of gc in ${site.bucket.url} have run out`);
  return epoch;
}

async function isAbsent({ bucket, options }: GcSite, epoch: number): Promise<boolean> {
  if (epoch > EPOCH_MAX) return true;
  for await (const { key } of bucket.list(condemnedKey(epoch), options))
    if (key === condemnedKey(epoch)) return false;
  return true;
}

function forecast(inventory: Inventory, { dead, sparse, sparseBytes, young }: Survey): Condemned {
  const packs = [...dead, ...sparse];
  const bytes = packs.reduce((sum, pack) => sum + inventory.bytesOf(pack), 0);
  return { epoch: 0, packs: packs.length, bytes, copiedBytes: sparseBytes, young };
}

// A list that is there already stays, and counts: whoever wrote it may be fencing for it.
async function writeList(site: GcSite, epoch: number, list: readonly PackId[]): Promise<void> {
  const body = bytesBody(encodeCondemned(list));
  for (let attempt = 1; ; attempt++) {
    try {
      await site.bucket.putIfAbsent(condemnedKey(epoch), body, site.options);
      return;
    } catch (error) {
      if (!isArtError(error, 'REMOTE_UNCERTAIN') || attempt === TRIES) throw error;
      await pauseBeforeTry(attempt, site.context.signal);
    }
  }
}

/** Puts back indexes that were lost, out of the packs themselves. */
async function restoreIndexes(site: GcSite, packs: readonly PackId[]): Promise<void> {
  for (const pack of packs) {
    const index = await readPackIndex(site.bucket, pack, site.options);
    if (index === undefined) continue;
    await site.bucket.putIfAbsent(indexKey(pack), bytesBody(index), site.options);
    await site.index.add([indexedPack(pack, index)]);
    site.warn(`${indexKey(pack)} was missing in ${site.bucket.url}, and is there again`);
  }
}
