/** Takes care of a repository: frees what nothing needs, checks everything, mends what can be mended. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isArtError, toHex } from '#base';
import { CHUNK, CHUNK_BYTES_MAX, FILE, NODE, decodeFileNode, fileRowDigest, formatCid } from '#object';
import type { Digest } from '#object';
import { checkStore, collect, rebuildDatabase } from '#store';
import type { Checked, NodeSource, Roots } from '#store';
import { entries, pathOfKey } from '#tree';
import {
  decodeHeld,
  decodeOperation,
  decodeRef,
  decodeSeen,
  listVersions,
  recordKeys,
  remoteKeys,
} from '#version';
import type { Context, DiskContext } from './context.ts';
import { draftRoots, forgetDrafts } from './draft-records.ts';
import { artifactNames, getArtifact, getCommit } from './find.ts';
import { records } from './operation.ts';

export interface GcRequest {
  readonly dryRun?: boolean;
  /** Operations of so many days can still be undone afterwards. */
  readonly undoWindowDays?: number;
  readonly explain?: boolean;
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
  /** What is still wrong, in words. */
  readonly problems: readonly string[];
}

const UNDO_WINDOW_DAYS = 30;
const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Frees what no artifact, held folder, draft or undo within the window needs; drafts that nobody touched for that long are
 * forgotten. Safe beside everything else.
 */
export async function gc(context: DiskContext, request: GcRequest = {}): Promise<GcResult> {
  const since = context.now() - (request.undoWindowDays ?? UNDO_WINDOW_DAYS) * DAY_MS;
  const forgotten = await forgetDrafts(context, since, { dryRun: request.dryRun === true });
  if (request.dryRun !== true)
    for (const draft of forgotten)
      context.onWarning?.(`the draft ${draft} was older than the undo window, and is forgotten`);
  const collected = await collect(context.store, {
    roots: rootsSince(since),
    ...(request.dryRun !== undefined && { dryRun: request.dryRun }),
    ...(context.signal && { signal: context.signal }),
  });
  return {
    freed: collected.freedBytes,
    kept: collected.keptBytes,
    packs: readdirSync(join(context.art, 'packs')).length,
    expired: [],
    reasons:
      request.explain === true
        ? [
            ...forgotten.map((draft) => `the draft ${draft} is older than the undo window`),
            ...collected.reasons,
          ]
        : [],
  };
}

/**
 * Checks everything; with `repair` rebuilds the database from the packs if anything is wrong, and checks again.
 * Raises LOCKED, INTERRUPTED.
 */
export async function fsck(context: DiskContext, request: FsckRequest = {}): Promise<FsckResult> {
  const { store, art, signal } = context;
  if (request.breakLock === true) breakLock(context);
  const roots = rootsSince(-Infinity);
  const options = {
    roots,
    ...(request.deep !== undefined && { deep: request.deep }),
    ...(signal && { signal }),
  };
  let checked = await checkStore(store, options);
  let healed = 0;
  if (request.repair === true && checked.problems.length > 0) {
    const before = checked.problems.length;
    await store.rest();
    await rebuildDatabase(art, {
      roots,
      deep: request.deep === true || checked.damaged.length > 0,
      ...(signal && { signal }),
    });
    checked = await checkStore(store, options);
    healed = Math.max(0, before - checked.problems.length);
  }
  const ok = checked.problems.length === 0;
  return {
    ok,
    checked: checked.checked,
    damaged: await whereDamaged(context, checked),
    healed,
    problems: checked.problems,
  };
}

function breakLock({ store, onWarning }: DiskContext): void {
  const holder = store.database.lock.break();
  if (holder === undefined) return;
  const { pid, host } = holder;
  onWarning?.(
    `freed the lock of process ${pid} on ${host}: if that still runs, two now write at once, and data can be lost`,
  );
}

/** Everything that must stay: the state of each artifact here and at remotes as last seen, what folders hold, and what an operation since then moved. */
function rootsSince(since: number): Roots {
  return async function* (source) {
    for await (const { value } of records(source, recordKeys.artifacts)) yield decodeRef(value);
    for await (const { value } of records(source, remoteKeys.all)) {
      const { synced, seen } = decodeSeen(value);
      for (const state of [synced, seen]) if (state !== null) yield state;
    }
    for await (const { value } of records(source, recordKeys.heldFolders)) {
      const { commit, tree, moving } = decodeHeld(value);
      yield* await present(source, [commit, tree, ...(moving === null ? [] : [moving.commit, moving.tree])]);
    }
    for await (const digests of draftRoots(source, since)) yield* await present(source, digests);
    for await (const { value } of records(source, recordKeys.operations)) {
      const { time, changes } = decodeOperation(value);
      if (time < since) continue;
      const moved = changes.flatMap(({ before, after }) => [before, after]);
      yield* await present(
        source,
        moved.filter((digest): digest is Digest => digest !== null),
      );
    }
  };
}

// What was freed by an earlier gc with a shorter window is not missed.
async function present(source: NodeSource, digests: readonly Digest[]): Promise<Digest[]> {
  const found: Digest[] = [];
  for (const digest of digests) {
    try {
      await source.getNodes([digest]);
      found.push(digest);
    } catch (error) {
      // Absent is fine; damaged is not: nobody could tell any more what it keeps alive.
      if (!isArtError(error, 'OBJECT_NOT_FOUND')) throw error;
    }
  }
  return found;
}

const NAMED_MAX = 100;

// Only when something is damaged: looks through every version for what needs it.
async function whereDamaged(context: Context, { damaged }: Checked): Promise<DamagedRow[]> {
  if (damaged.length === 0) return [];
  const needed = new Map(
    damaged.map(({ kind, digest }) => [
      `${kind}${toHex(digest)}`,
      { versions: new Set<string>(), paths: new Set<string>() },
    ]),
  );
  const note = (kind: number, digest: Digest, version: string, path?: string) => {
    const found = needed.get(`${kind}${toHex(digest)}`);
    if (found === undefined) return;
    if (found.versions.size < NAMED_MAX) found.versions.add(version);
    if (path !== undefined && found.paths.size < NAMED_MAX) found.paths.add(path);
  };
  try {
    for (const name of await artifactNames(context.store)) {
      const artifact = await getArtifact(context.store, name);
      for await (const batch of listVersions(context.store, artifact)) {
        for (const { number, commit } of batch)
          await noteVersion(context, commit, `${name}:v${number}`, note);
      }
    }
  } catch (error) {
    // The names themselves cannot be read: what is known is told, the rest stands in `problems`.
    if (!isArtError(error)) throw error;
  }
  return damaged.map(({ kind, digest }) => {
    const { versions, paths } = needed.get(`${kind}${toHex(digest)}`)!;
    return {
      cid: formatCid({ kind, digest }),
      kind: kind === CHUNK ? 'chunk' : 'node',
      versions: [...versions],
      paths: [...paths],
    };
  });
}

type Note = (kind: number, digest: Digest, version: string, path?: string) => void;

async function noteVersion(context: Context, commit: Digest, version: string, note: Note): Promise<void> {
  const { store } = context;
  note(NODE, commit, version);
  try {
    const { tree } = await getCommit(store, commit);
    note(NODE, tree, version);
    for await (const batch of entries(store, tree)) {
      for (const { kind, size, digest, key } of batch) {
        if (kind !== FILE) continue;
        if (size <= CHUNK_BYTES_MAX) note(CHUNK, digest, version, pathOfKey(key));
        else await noteFile(store, digest, version, pathOfKey(key), note);
      }
    }
  } catch (error) {
    // A node above cannot be read: it is itself among the damaged.
    if (!isArtError(error)) throw error;
  }
}

async function noteFile(
  source: NodeSource,
  digest: Digest,
  version: string,
  path: string,
  note: Note,
): Promise<void> {
  note(NODE, digest, version, path);
  let bytes: Uint8Array;
  try {
    [bytes] = await source.getNodes([digest]);
  } catch (error) {
    if (!isArtError(error)) throw error;
    return; // Noted already.
  }
  const node = decodeFileNode(bytes);
  for (let row = 0; row < node.rows; row++) {
    const child = fileRowDigest(node, row);
    if (node.level === 0) note(CHUNK, child, version, path);
    else await noteFile(source, child, version, path, note);
  }
}
