/** Publishes one operation: artifacts and records that change together, and the line that tells of it. */
import { ArtError, equalBytes } from '#base';
import type { LockedStore, RecordSource, NodeSource, Transaction } from '#store';
import {
  decodeName,
  decodeNumber,
  decodeRef,
  encodeHeld,
  encodeName,
  encodeNumber,
  encodeOperation,
  encodeRef,
  loadArtifact,
  recordKeys,
  saveArtifact,
} from '#version';
import type { Artifact, ArtifactName, Held, RefChange } from '#version';
import type { Digest } from '#object';
import type { Setting } from './context.ts';

/** What an operation changes while the store is locked. */
export interface Draft extends LockedStore {
  /** The artifact as it is now, or undefined. */
  findArtifact(name: ArtifactName): Promise<Artifact | undefined>;
  /** Makes `artifact` what its name stands for; raises NAME_TAKEN if another name differs by case only. */
  setArtifact(artifact: Artifact): Promise<void>;
  /** Makes a state that is in the store what its name stands for; raises NAME_TAKEN as above. */
  adoptArtifact(artifact: Artifact & { readonly saved: Digest }): Promise<void>;
  setHeld(held: Held): void;
}

/** Runs `decide` under the lock and publishes all it changed with a line in the operation log, or nothing. */
export async function publishOperation<T>(
  tx: Transaction,
  setting: Setting,
  decide: (draft: Draft) => Promise<T>,
): Promise<T> {
  return tx.publish(async (locked) => {
    const changes: RefChange[] = [];
    const draft: Draft = {
      ...locked,
      findArtifact: (name) => findArtifact(locked, name),
      setArtifact: (artifact) => setArtifact(locked, artifact, changes),
      adoptArtifact: (artifact) => adoptArtifact(locked, artifact, changes),
      setHeld: (held) => locked.setRecord(recordKeys.held(held.path), encodeHeld(held)),
    };
    const result = await decide(draft);
    if (changes.length > 0) await logOperation(locked, setting, changes);
    return result;
  });
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
  const name = artifact.state.name as ArtifactName;
  const current = await locked.getRecord(recordKeys.artifact(name));
  const before = current === undefined ? null : decodeRef(current);
  const moved =
    before === null
      ? artifact.saved !== null
      : artifact.saved === null || !equalBytes(before, artifact.saved);
  if (moved) throw new ArtError('REF_MOVED', `artifact "${name}" was changed meanwhile`);
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
  const folded = recordKeys.folded(name);
  const taken = await locked.getRecord(folded);
  if (taken === undefined) locked.setRecord(folded, encodeName(name));
  else if (decodeName(taken) !== name)
    throw new ArtError(
      'NAME_TAKEN',
      `"${name}" differs from the artifact "${decodeName(taken)}" by case only`,
    );
  locked.setRecord(ref, encodeRef(saved));
  changes.push({ ref, before: current === undefined ? null : decodeRef(current), after: saved });
}

async function logOperation(
  locked: LockedStore,
  setting: Setting,
  changes: readonly RefChange[],
): Promise<void> {
  const next = await locked.getRecord(recordKeys.nextOperation);
  const number = next === undefined ? 1 : decodeNumber(next);
  const { author, host, run, command, now } = setting;
  const operation = { number, time: now(), user: author, host, run, command, changes, undoes: null };
  locked.setRecord(recordKeys.operation(number), encodeOperation(operation));
  locked.setRecord(recordKeys.nextOperation, encodeNumber(number + 1));
}
