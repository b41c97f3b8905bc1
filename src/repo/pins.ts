/** Keeps `art.toml` and `art.lock` in step with artifacts that were renamed, and versions that went or came back. */
import { equalBytes } from '#base';
import { findVersionOfCommit, renameBinding } from '#version';
import type { ArtifactName, Version } from '#version';
import type { Context } from './context.ts';
import { findHeld, findLiveHeld } from './find.ts';
import { findArtifact } from './operation.ts';
import {
  boundFolder,
  readPins,
  readWanted,
  readWantedText,
  writePins,
  writeWantedText,
} from './wanted-files.ts';

export interface Renaming {
  readonly name: ArtifactName;
  readonly to: ArtifactName;
  readonly type: string;
}

/**
 * Plans how the binding and the pin of an artifact follow its new name or type; what it gives does it. Called before
 * anything is published. Raises CONFIG_INVALID.
 */
export function planRebinding({ root }: Context, renaming: Renaming): () => void {
  const { name, to } = renaming;
  const before = readWantedText(root);
  const after = renameBinding(before, renaming);
  const pin = readPins(root).get(name);
  return () => {
    if (after !== before) writeWantedText(root, after);
    if (name === to || pin === undefined) return;
    writePins(root, new Map([[name, undefined] as const, [to, pin] as const]));
  };
}

/**
 * Where `art.lock` pins a version that is gone, or the bound folder holds one that is back, pins what the folder holds.
 * `restored` are versions that are live again.
 */
export async function repairPin(
  context: Context,
  name: ArtifactName,
  restored: readonly Version[] = [],
): Promise<void> {
  const { store, root } = context;
  const binding = readWanted(root).bindings.get(name);
  const artifact = await findArtifact(store, name);
  if (binding === undefined || artifact === undefined) return;
  const pin = readPins(root).get(name);
  const dir = boundFolder(root, binding);
  const held = await findHeld(store, dir);
  const pinned = pin && (await findVersionOfCommit(store, artifact, pin.commit, pin.number));
  const isBack = held !== undefined && restored.some(({ commit }) => equalBytes(commit, held.commit));
  if (!isBack && (pin === undefined || pinned !== undefined)) return;
  const live = await findLiveHeld(store, dir);
  const next = live?.artifact === name ? { commit: live.commit, number: live.number } : undefined;
  writePins(root, new Map([[name, next]]));
  if (isBack) return;
  const instead = next === undefined ? 'no version' : `v${next.number}`;
  context.onWarning?.(
    `art.lock wanted ${name}:v${pin?.number ?? '?'}, which is gone; it wants ${instead} now`,
  );
}
