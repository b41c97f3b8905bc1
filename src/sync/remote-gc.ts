/** Frees what nothing at a remote needs any more, beside pushers at any time: does what is due, and says what comes next. */
import { formatCount } from '#base';
import type { Repository } from '#repo';
import type { Bucket } from './bucket.ts';
import { requireShared } from './conformance.ts';
import { condemn } from './remote-gc-condemn.ts';
import type { Condemned } from './remote-gc-condemn.ts';
import { Inventory } from './remote-gc-inventory.ts';
import { Marker } from './remote-gc-mark.ts';
import { writeDenied } from './remote-gc-fence.ts';
import { GcSite } from './remote-gc-site.ts';
import { readGcState } from './remote-gc-state.ts';
import { sweep, unneeded } from './remote-gc-sweep.ts';
import type { Swept } from './remote-gc-sweep.ts';

export interface RemoteGcRequest {
  /** The name of the remote here. */
  readonly remote: string;
  readonly bucket: Bucket;
  readonly dryRun?: boolean;
  /** Packs younger than this, by the store's clock, are left alone: those of pushes that go on. */
  readonly minAgeMs?: number;
  /** How long condemned packs stay for those that are reading them. */
  readonly graceMs?: number;
}

export interface RemoteGcResult {
  readonly remote: string;
  /** Bytes of packs and indexes that were deleted. */
  readonly freed: number;
  /** Bytes of packs and indexes that are there afterwards and not condemned. */
  readonly kept: number;
  /** Packs that are there afterwards and not condemned. */
  readonly packs: number;
  /** Packs that were deleted. */
  readonly deleted: number;
  /** Packs that were condemned, and their bytes. */
  readonly condemned: number;
  readonly condemnedBytes: number;
  /** Bytes of new packs, into which the rest of condemned ones was copied. */
  readonly copied: number;
  /** Condemned packs that are there afterwards. */
  readonly waiting: number;
  /** When condemned packs may be deleted, by the store's clock; milliseconds since 1970; null if none wait. */
  readonly due: number | null;
  readonly requests: number;
  /** Why what could go is still there, in words. */
  readonly reasons: readonly string[];
}

const HOUR_MS = 60 * 60 * 1000;
/** For pushes that go on, and for readers. Nothing depends on them but work that would be lost. */
export const MIN_AGE_MS = 24 * HOUR_MS;
export const GRACE_MS = 24 * HOUR_MS;

const NOTHING_SWEPT: Swept = { packs: 0, bytes: 0, stayed: 0 };
const NOTHING_CONDEMNED: Condemned = { epoch: 0, packs: 0, bytes: 0, copiedBytes: 0, young: 0 };

/**
 * Sweeps what was condemned and whose grace is over, then condemns what nothing needs now, and packs that are mostly
 * dead or small once what lives in them was copied. Raises REMOTE_EMPTY, REMOTE_REPLACED, REMOTE_UNSHARED, REMOTE_DENIED,
 * REMOTE_CORRUPT if a version there cannot be read, and REMOTE_REWRITTEN if one that was seen is gone: then nothing is
 * deleted.
 */
export async function collectRemote(
  repository: Repository,
  request: RemoteGcRequest,
): Promise<RemoteGcResult> {
  const site = await GcSite.open(repository.context, request.remote, request.bucket);
  if (request.dryRun === true) return await new RemoteGc(site, request).forecast();
  try {
    const { now } = site.context;
    await requireShared(site.bucket, 'cannot be cleaned beside other writers', { ...site.options, now });
    return await new RemoteGc(site, request).run();
  } catch (error) {
    throw writeDenied(error);
  }
}

class RemoteGc {
  readonly #site: GcSite;
  readonly #minAgeMs: number;
  readonly #graceMs: number;
  readonly #requestsBefore: number;

  constructor(site: GcSite, request: RemoteGcRequest) {
    this.#site = site;
    this.#minAgeMs = request.minAgeMs ?? MIN_AGE_MS;
    this.#graceMs = request.graceMs ?? GRACE_MS;
    this.#requestsBefore = site.bucket.traffic.requests;
  }

  async run(): Promise<RemoteGcResult> {
    let inventory = await Inventory.take(this.#site);
    const marker = new Marker(this.#site, inventory.objects);
    let swept = NOTHING_SWEPT;
    const open = await this.#openEpoch();
    if (open !== undefined) {
      if (open.due > inventory.now) return this.#result(inventory, { due: open.due });
      swept = await sweep(this.#site, open.epoch, marker);
      inventory = await Inventory.take(this.#site);
    }
    await marker.mark();
    const options = { minAgeMs: this.#minAgeMs, dryRun: false };
    const condemned = await condemn(this.#site, inventory, marker, options);
    if (condemned.epoch > 0 && this.#graceMs === 0)
      swept = sum(swept, await sweep(this.#site, condemned.epoch, marker));
    const due = condemned.epoch > 0 && this.#graceMs > 0 ? this.#dueOf(condemned.epoch) : null;
    return this.#result(await Inventory.take(this.#site), { swept, condemned, due });
  }

  /** The same, by reading alone; a fence is not needed to guess. */
  async forecast(): Promise<RemoteGcResult> {
    const inventory = await Inventory.take(this.#site);
    const open = await this.#openEpoch();
    if (open !== undefined && open.due > inventory.now) return this.#result(inventory, { due: open.due });
    const marker = new Marker(this.#site, inventory.objects);
    await marker.mark();
    let swept = NOTHING_SWEPT;
    if (open !== undefined) {
      const { packs, stayed } = await unneeded(this.#site, open.epoch, { inventory, marker });
      const bytes = packs.reduce((total, pack) => total + inventory.bytesOf(pack), 0);
      swept = { packs: packs.length, bytes, stayed };
    }
    const options = { minAgeMs: this.#minAgeMs, dryRun: true };
    const condemned = await condemn(this.#site, inventory, marker, options);
    return this.#result(inventory, { swept, condemned, due: null });
  }

  /** The newest epoch, if it was not swept to its end, and when it may be. */
  async #openEpoch(): Promise<{ readonly epoch: number; readonly due: number } | undefined> {
    const epoch = this.#site.index.condemned.newest;
    const state = (await readGcState(this.#site.bucket, this.#site.options))?.state;
    // The list counts, not the state: whoever wrote it may have been killed before it could say so.
    const phase = state !== undefined && state.epoch >= epoch ? state.phase : 'condemned';
    if (epoch === 0 || phase === 'swept') return undefined;
    return { epoch, due: phase === 'fenced' || this.#graceMs === 0 ? 0 : this.#dueOf(epoch) };
  }

  #dueOf(epoch: number): number {
    return this.#site.index.condemned.since(epoch) + this.#graceMs;
  }

  #result(
    inventory: Inventory,
    done: { readonly swept?: Swept; readonly condemned?: Condemned; readonly due: number | null },
  ): RemoteGcResult {
    const { swept = NOTHING_SWEPT, condemned = NOTHING_CONDEMNED, due } = done;
    const kept = [...inventory.packs.keys()].filter((pack) => !this.#site.index.condemned.has(pack));
    return {
      remote: this.#site.remote,
      freed: swept.bytes,
      kept: kept.reduce((total, pack) => total + inventory.bytesOf(pack), 0),
      packs: kept.length,
      deleted: swept.packs,
      condemned: condemned.packs,
      condemnedBytes: condemned.bytes,
      copied: condemned.copiedBytes,
      waiting: inventory.packs.size - kept.length,
      due,
      requests: this.#site.bucket.traffic.requests - this.#requestsBefore,
      reasons: reasonsOf(swept, condemned),
    };
  }
}

function sum(a: Swept, b: Swept): Swept {
  return { packs: a.packs + b.packs, bytes: a.bytes + b.bytes, stayed: b.stayed };
}

function reasonsOf({ stayed }: Swept, { young }: Condemned): string[] {
  const reasons: string[] = [];
  if (stayed > 0)
    reasons.push(
      `${formatCount(stayed, 'condemned pack')} stayed: something needs what is in them; the next gc copies it out`,
    );
  if (young > 0)
    reasons.push(`${formatCount(young, 'pack')} that nothing needs ${young === 1 ? 'is' : 'are'} too young`);
  return reasons;
}
