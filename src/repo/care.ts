/** Takes care of a repository: frees what nothing needs, checks everything, mends what can be mended. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { formatBytes, formatCount } from '#base';
import { CHUNK, formatCid } from '#object';
import type { ObjectId } from '#object';
import { checkStore, collect, rebuildDatabase } from '#store';
import type { Elsewhere, Roots } from '#store';
import { watchedWalk } from './context.ts';
import type { RepositoryContext } from './context.ts';
import { forgetDrafts } from './draft-records.ts';
import { lostPromises, promisedAnything } from './promises.ts';
import { rootsSince } from './roots.ts';
import { whereNeeded } from './where-needed.ts';

export interface GcRequest {
  readonly dryRun?: boolean;
  /** Operations of so many days can still be undone afterwards. */
  readonly undoWindowDays?: number;
  readonly explain?: boolean;
  /** Bytes that can be had again go as well; what versions need that are only here stays. */
  readonly elsewhere?: Elsewhere;
}

export interface GcResult {
  /** Bytes on disk. */
  readonly freed: number;
  readonly kept: number;
  /** Packs and journals there are afterwards. */
  readonly packs: number;
  /** Versions whose time had come. */
  readonly expired: readonly string[];
  readonly reasons: readonly string[];
}

export interface FsckRequest {
  /** Read every byte. */
  readonly deep?: boolean;
  readonly repair?: boolean;
  readonly breakLock?: boolean;
}

export interface DamagedRow {
  readonly cid: string;
  readonly kind: 'chunk' | 'node';
  /** NAME:vN of the versions that need it. */
  readonly versions: readonly string[];
  /** Of files in those versions. */
  readonly paths: readonly string[];
}

export interface FsckResult {
  readonly ok: boolean;
  /** Objects looked at. */
  readonly checked: number;
  readonly damaged: readonly DamagedRow[];
  /** How many problems were mended. */
  readonly healed: number;
  /** Objects that are not here and that a remote has promised; what only those name is not counted. */
  readonly promised: number;
  /** What is still wrong, in words. */
  readonly problems: readonly string[];
}

const UNDO_WINDOW_DAYS = 30;
const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Frees what no artifact, held folder, draft or undo within the window needs; drafts that nobody touched for that long are
 * forgotten. Safe beside everything else.
 */
export async function gc(context: RepositoryContext, request: GcRequest = {}): Promise<GcResult> {
  const days = request.undoWindowDays ?? UNDO_WINDOW_DAYS;
  const draftsSince = context.now() - days * DAY_MS;
  // A window of 0 days keeps nothing, not even what was undone in this millisecond.
  const since = days === 0 ? Infinity : draftsSince;
  const dryRun = request.dryRun === true;
  const forgotten = await forgetDrafts(context, draftsSince, { dryRun });
  if (!dryRun)
    for (const draft of forgotten)
      context.onWarning?.(`the draft ${draft} was older than the undo window, and is forgotten`);
  const options = { promised: promisedAnything, ...watchedWalk(context) };
  const collected = await collect(context.disk, {
    roots: rootsSince(since, { draftsSince }),
    dryRun,
    ...options,
    ...(request.elsewhere && { elsewhere: request.elsewhere }),
  });
  return {
    freed: collected.freedBytes,
    kept: collected.keptBytes,
    packs: readdirSync(join(context.art, 'packs')).length,
    expired: [],
    reasons: request.explain === true ? await reasons() : [],
  };

  async function reasons(): Promise<string[]> {
    const keptBut = async (roots: Roots) => {
      const without = await collect(context.disk, { roots, dryRun: true, ...options });
      return without.freedBytes - (dryRun ? collected.freedBytes : 0);
    };
    const toUndo = await keptBut(rootsSince(Infinity, { draftsSince }));
    const inDrafts = await keptBut(rootsSince(since, { draftsSince: Infinity }));
    return [
      ...forgotten.map((draft) => `the draft ${draft} is older than the undo window`),
      ...(toUndo > 0
        ? [
            `${formatBytes(toUndo)} is kept ${formatCount(days, 'day')} for undo alone; --undo-window 0 frees it`,
          ]
        : []),
      ...(inDrafts > 0
        ? [`${formatBytes(inDrafts)} is in drafts, until they are finished or untouched for as long`]
        : []),
      ...collected.reasons,
      'the rest is needed by versions, here or as remotes have them, or by what folders hold',
    ];
  }
}

/**
 * Checks everything; with `repair` rebuilds the database from the packs if anything is wrong, and checks again.
 * Raises LOCKED, INTERRUPTED.
 */
export async function fsck(context: RepositoryContext, request: FsckRequest = {}): Promise<FsckResult> {
  const { disk, art } = context;
  if (request.breakLock === true) breakLock(context);
  const roots = rootsSince(-Infinity);
  const options = {
    roots,
    promised: promisedAnything,
    ...(request.deep !== undefined && { deep: request.deep }),
    ...watchedWalk(context),
  };
  let checked = await checkStore(disk, options);
  let healed = 0;
  if (request.repair === true && checked.problems.length > 0) {
    const before = checked.problems.length;
    await disk.rest();
    await rebuildDatabase(art, {
      roots,
      promised: promisedAnything,
      deep: request.deep === true || checked.damaged.length > 0,
      ...watchedWalk(context),
    });
    checked = await checkStore(disk, options);
    healed = Math.max(0, before - checked.problems.length);
  }
  // A database that cannot be opened is a problem already.
  const lost = checked.opened ? await lostPromises(context) : [];
  const problems = [...checked.problems, ...lost.map(({ problem }) => problem)];
  return {
    ok: problems.length === 0,
    checked: checked.checked,
    damaged: await whereDamaged(context, [...checked.damaged, ...lost.map(({ id }) => id)]),
    promised: checked.promised,
    healed,
    problems,
  };
}

function breakLock({ disk, onWarning }: RepositoryContext): void {
  const holder = disk.database.lock.break();
  if (holder === undefined) return;
  const { pid, host } = holder;
  onWarning?.(
    `freed the lock of process ${pid} on ${host}: if that still runs, two now write at once, and data can be lost`,
  );
}

// Only when something is damaged: looks through every version for what needs it.
async function whereDamaged(
  { disk }: RepositoryContext,
  damaged: readonly ObjectId[],
): Promise<DamagedRow[]> {
  const needed = damaged.length === 0 ? [] : await whereNeeded(disk, damaged);
  return damaged.map(({ kind, digest }, i) => ({
    cid: formatCid({ kind, digest }),
    kind: kind === CHUNK ? 'chunk' : 'node',
    versions: [...needed[i].versions.keys()],
    paths: [...needed[i].paths],
  }));
}
