/** Sweeps: deletes condemned packs of which everything that is alive was just read elsewhere. */
import { Inventory } from './remote-gc-inventory.ts';
import type { Marker } from './remote-gc-mark.ts';
import { fence } from './remote-gc-fence.ts';
import { lacksCopy } from './remote-gc-rescue.ts';
import type { Among } from './remote-gc-rescue.ts';
import type { GcSite } from './remote-gc-site.ts';
import { advanceGcState } from './remote-gc-state.ts';
import { indexKey, packKey } from './keys.ts';
import type { PackId } from './keys.ts';

export interface Swept {
  readonly packs: number;
  readonly bytes: number;
  /** Condemned packs that something alive still needs. */
  readonly stayed: number;
}

/**
 * Fences for `epoch`, marks again, and deletes what all epochs up to it condemned. Packs condemned later, by somebody
 * beside us, are none of our business: our fence was not for them.
 */
export async function sweep(site: GcSite, epoch: number, marker: Marker): Promise<Swept> {
  const { bucket, context, options } = site;
  const writer = context.author;
  await fence(site, epoch);
  await advanceGcState(bucket, { epoch, phase: 'fenced', writer }, options);
  await marker.mark();
  const inventory = await Inventory.take(site);
  const doomed = await unneeded(site, epoch, { inventory, marker });
  let bytes = 0;
  for (const pack of doomed.packs) {
    // The index first: nobody finds what is not there any more.
    await bucket.delete(indexKey(pack), options);
    await bucket.delete(packKey(pack), options);
    await site.index.forget(pack);
    bytes += inventory.bytesOf(pack);
  }
  await advanceGcState(bucket, { epoch, phase: 'swept', writer }, options);
  return { packs: doomed.packs.length, bytes, stayed: doomed.stayed };
}

/** Which condemned packs nobody needs. Nothing is changed. */
export async function unneeded(
  site: GcSite,
  epoch: number,
  { inventory, marker }: { readonly inventory: Inventory; readonly marker: Marker },
): Promise<{ readonly packs: readonly PackId[]; readonly stayed: number }> {
  marker.requirePointers(inventory);
  const packs: PackId[] = [];
  let stayed = 0;
  const reader = site.reader();
  for (const pack of inventory.leftOver(epoch)) {
    if (await isNeeded(pack, { site, inventory, marker, reader })) stayed++;
    else packs.push(pack);
  }
  return { packs, stayed };
}

async function isNeeded(pack: PackId, among: Among): Promise<boolean> {
  const { inventory } = among;
  const objects = await inventory.objectsOf(pack);
  if (objects === undefined) return inventory.indexes.has(pack) && inventory.packs.has(pack);
  // A pack that is gone may come back, with a disk or a share; without its index nobody would find it.
  return lacksCopy(objects, among);
}
