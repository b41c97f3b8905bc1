/** Publishes one operation: artifacts and records that change together, and the line that tells of it. */
import { ArtError, equalBytes } from '#base';
import { encodeState } from '#object';
import type { Digest } from '#object';
import type { LockedStore, NodeSource, RecordRow, RecordSource, Transaction } from '#store';
import {
  decodeHeld,
  decodeName,
  decodeNumber,
  decodeSeen,
  decodeRef,
  decodeStoredDraft,
  editArtifact,
  encodeHeld,
  encodeName,
  encodeNumber,
  encodeOperation,
  encodeRef,
  encodeStoredDraft,
  folderRef,
  isDeleted,
  loadArtifact,
  recordKeys,
  remoteKeys,
  remoteOfKey,
  saveArtifact,
} from '#version';
import type { Artifact, ArtifactName, Held, Operation, RefChange } from '#version';
import type { Setting } from './context.ts';

/** What an operation changes while the store is locked. */
export interface Draft extends LockedStore {
  /** The number that the operation gets if it changes anything. */
  readonly number: number;
  /** The artifact as it is now, a deleted one too, or undefined. */
  findArtifact(name: ArtifactName): Promise<Artifact | undefined>;
  /** Makes `artifact` what its name stands for, if it differs from what that is; raises NAME_TAKEN if another name differs by case only. */
  setArtifact(artifact: Artifact): Promise<void>;
  /** Makes a state that is in the store what its name stands for; raises NAME_TAKEN as above. */
  adoptArtifact(artifact: Artifact & { readonly saved: Digest }): Promise<void>;
  /**
   * Gives an artifact the name `to`, with its drafts and what folders hold of it. `artifact` is what it shall be, still under the old
   * name. Raises NAME_TAKEN if there is, or was, an artifact of that name, or one that differs by case only.
   */
  renameArtifact(artifact: Artifact, to: ArtifactName): Promise<void>;
  setHeld(held: Held): void;
  /** Notes that a folder lost (`before`), or got back (`after`), what a snapshot has. */
  noteFolder(path: string, change: Omit<RefChange, 'ref'>): void;
}

export interface OperationOptions {
  /** The number of the operation that this one takes back. */
  readonly undoes?: number;
}

/** Runs `decide` under the lock and publishes all it changed with a line in the operation log, or nothing. */
export async function publishOperation<T>(
  tx: Transaction,
  setting: Setting,
  decide: (draft: Draft) => Promise<T>,
  { undoes }: OperationOptions = {},
): Promise<T> {
  return tx.publish(async (locked) => {
    const changes: RefChange[] = [];
    const next = await locked.getRecord(recordKeys.nextOperation);
    const number = next === undefined ? 1 : decodeNumber(next);
    const result = await decide(draftOn(locked, number, changes));
    if (changes.length > 0) logOperation(locked, setting, { number, changes, undoes: undoes ?? null });
    return result;
  });
}

function draftOn(locked: LockedStore, number: number, changes: RefChange[]): Draft {
  return {
    ...locked,
    number,
    findArtifact: (name) => findArtifact(locked, name),
    setArtifact: (artifact) => setArtifact(locked, artifact, changes),
    adoptArtifact: (artifact) => adoptArtifact(locked, artifact, changes),
    renameArtifact: (artifact, to) => renameArtifact(locked, artifact, to, changes),
    setHeld: (held) => locked.setRecord(recordKeys.held(held.path), encodeHeld(held)),
    noteFolder: (path, change) => void changes.push({ ref: folderRef(path), ...change }),
  };
}

/** The artifact of this name, or undefined. */
export async function findArtifact(
  source: RecordSource & NodeSource,
  name: ArtifactName,
): Promise<Artifact | undefined> {
  const ref = await source.getRecord(recordKeys.artifact(name));
  return ref === undefined ? undefined : loadArtifact(source, decodeRef(ref));
}

async function setArtifact(locked: LockedStore, artifact: Artifact, changes: RefChange[]): Promise<void> {
  const before = await unmoved(locked, artifact);
  if (before !== null && sameContent(await loadArtifact(locked, before), artifact)) return;
  await adoptArtifact(locked, saveArtifact(locked, artifact), changes);
}

async function adoptArtifact(
  locked: LockedStore,
  { saved, state }: Artifact & { readonly saved: Digest },
  changes: RefChange[],
): Promise<void> {
  const name = state.name as ArtifactName;
  const ref = recordKeys.artifact(name);
  const current = await locked.getRecord(ref);
  await takeName(locked, name);
  if (current === undefined) await reuseName(locked, name);
  locked.setRecord(ref, encodeRef(saved));
  changes.push({ ref, before: current === undefined ? null : decodeRef(current), after: saved });
}

async function renameArtifact(
  locked: LockedStore,
  artifact: Artifact,
  to: ArtifactName,
  changes: RefChange[],
): Promise<void> {
  const name = artifact.state.name as ArtifactName;
  const before = await unmoved(locked, artifact);
  const there = await findArtifact(locked, to);
  if (there !== undefined) {
    const why = isDeleted(there) ? 'was deleted, and its version numbers are never used again' : 'exists';
    throw new ArtError('NAME_TAKEN', `artifact "${to}" ${why}`, { hint: 'Choose another name.' });
  }
  if ((await nameSince(locked, to)) !== name && (await wasShared(locked, to)))
    throw new ArtError(
      'NAME_TAKEN',
      `remotes know other versions as "${to}", whose numbers are never used again`,
      {
        hint: 'Choose another name.',
      },
    );
  await takeName(locked, to);
  await reuseName(locked, to);
  // What a remote knows by this name will come and go under it: no name that differs by case only takes its place.
  if (!(await isKnownToRemotes(locked, name))) locked.setRecord(recordKeys.folded(name), undefined);
  locked.setRecord(recordKeys.artifact(name), undefined);
  locked.setRecord(recordKeys.renamed(name), encodeName(to));
  const { saved } = saveArtifact(locked, editArtifact(artifact, { name: to }));
  locked.setRecord(recordKeys.artifact(to), encodeRef(saved));
  changes.push({ ref: recordKeys.artifact(name), before, after: null });
  changes.push({ ref: recordKeys.artifact(to), before: null, after: saved });
  for await (const { key, value } of records(locked, recordKeys.heldFolders)) {
    const held = decodeHeld(value);
    if (held.artifact === name) locked.setRecord(key, encodeHeld({ ...held, artifact: to }));
  }
  for await (const { key, value } of records(locked, recordKeys.draftsOf(name))) {
    const draft = decodeStoredDraft(value);
    const moved = recordKeys.draft(to, draft.id);
    if ((await locked.getRecord(moved)) !== undefined)
      throw new ArtError(
        'NAME_TAKEN',
        `somebody is making "${to}": it has a draft "${draft.id}", as "${name}" has`,
        {
          hint: 'Choose another name.',
        },
      );
    locked.setRecord(key, undefined);
    locked.setRecord(moved, encodeStoredDraft({ ...draft, artifact: to }));
  }
}

/** An operation that changes nothing would be one that undo has nothing to take back of. */
function sameContent(a: Artifact, b: Artifact): boolean {
  const content = ({ state }: Artifact) => encodeState({ ...state, previous: null });
  return equalBytes(content(a), content(b));
}

/** The state that `artifact` was loaded as, if its name still stands for that; raises REF_MOVED. */
async function unmoved(locked: LockedStore, { saved, state }: Artifact): Promise<Digest | null> {
  const current = await locked.getRecord(recordKeys.artifact(state.name as ArtifactName));
  const before = current === undefined ? null : decodeRef(current);
  const moved = before === null ? saved !== null : saved === null || !equalBytes(before, saved);
  if (moved) throw new ArtError('REF_MOVED', `artifact "${state.name}" was changed meanwhile`);
  return before;
}

async function reuseName(locked: LockedStore, name: ArtifactName): Promise<void> {
  const key = recordKeys.renamed(name);
  if ((await locked.getRecord(key)) !== undefined) locked.setRecord(key, undefined);
}

/** Whether a remote has, under this name, versions that were here too. */
async function wasShared(source: RecordSource, name: ArtifactName): Promise<boolean> {
  for await (const { key, value } of records(source, remoteKeys.all))
    if (remoteOfKey(key).name === name && decodeSeen(value).synced !== null) return true;
  return false;
}

async function isKnownToRemotes(source: RecordSource, name: ArtifactName): Promise<boolean> {
  for await (const { key } of records(source, remoteKeys.all))
    if (remoteOfKey(key).name === name) return true;
  return false;
}

/** What the artifact is called now that gave up `name`; undefined if none did, or the name is used again. */
export async function nameSince(source: RecordSource, name: ArtifactName): Promise<ArtifactName | undefined> {
  let since: ArtifactName | undefined;
  for (const seen = new Set([name]); ;) {
    const next = await source.getRecord(recordKeys.renamed(since ?? name));
    if (next === undefined) return since;
    since = decodeName(next);
    if (seen.has(since)) return since;
    seen.add(since);
  }
}

async function takeName(locked: LockedStore, name: ArtifactName): Promise<void> {
  const key = recordKeys.folded(name);
  const taken = await locked.getRecord(key);
  if (taken === undefined) locked.setRecord(key, encodeName(name));
  else if (decodeName(taken) !== name) {
    const twin = decodeName(taken);
    const since = await nameSince(locked, twin);
    const now = since === undefined ? '' : `, which is "${since}" now and which remotes know by its old name`;
    throw new ArtError('NAME_TAKEN', `"${name}" differs from the artifact "${twin}" by case only${now}`);
  }
}

function logOperation(
  locked: LockedStore,
  { author, host, run, command, now }: Setting,
  said: Pick<Operation, 'number' | 'changes' | 'undoes'>,
): void {
  const operation = { ...said, time: now(), user: author, host, run, command };
  locked.setRecord(recordKeys.operation(said.number), encodeOperation(operation));
  locked.setRecord(recordKeys.nextOperation, encodeNumber(said.number + 1));
}

const PAGE = 1000;

/** Every record whose key begins with `prefix`, in key order. */
export async function* records(
  source: RecordSource,
  prefix: string,
): AsyncGenerator<RecordRow, void, undefined> {
  for (let after: string | undefined; ;) {
    const page = await source.listRecords(prefix, { limit: PAGE, ...(after !== undefined && { after }) });
    yield* page;
    if (page.length < PAGE) return;
    after = page[page.length - 1].key;
  }
}
