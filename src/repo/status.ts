/** Compares bound folders with the versions they hold. */
import { formatCid, NODE } from '#object';
import type { Digest } from '#object';
import { findLatest, findVersionOfCommit, parseArtifactName } from '#version';
import type { ArtifactName, Binding, Held } from '#version';
import { ArtError, suggest } from '#base';
import { compareFolder } from '#worktree';
import { statCacheOf, watched } from './context.ts';
import type { Context } from './context.ts';
import { unpushedNumbers } from './remote-standing.ts';
import { findLiveHeld, getCommit } from './find.ts';
import { findArtifact } from './operation.ts';
import { renamedBinding } from './renamed-binding.ts';
import { repairPins } from './pending-pins.ts';
import { unfinishedText } from './unfinished.ts';
import { boundFolder, readPins, readWanted } from './wanted-files.ts';

export interface StatusResult {
  readonly name: string;
  /** As in `art.toml`. */
  readonly path: string;
  /** The version the folder was last made to hold, or that was last made from it. */
  readonly held: string | null;
  /** The CID that `art.lock` pins. */
  readonly locked: string | null;
  readonly latest: string | null;
  /** How many versions are newer than what is held. */
  readonly behind: number;
  /** Whether the folder has exactly what it holds. */
  readonly clean: boolean;
  readonly added: readonly string[];
  readonly modified: readonly string[];
  readonly removed: readonly string[];
  /** Version numbers that no remote is known to have. */
  readonly unpushed: readonly number[];
}

/** The state of the bound folders, all or those of `names`. Raises BINDING_NOT_FOUND. */
export async function status(context: Context, names: readonly string[]): Promise<StatusResult[]> {
  await repairPins(context);
  const { bindings } = readWanted(context.root);
  const chosen = names.length === 0 ? [...bindings.values()] : names.map((name) => bindingOf(bindings, name));
  const results: StatusResult[] = [];
  for (const binding of chosen) results.push(await statusOf(context, binding));
  return results;
}

export function bindingOf(bindings: ReadonlyMap<ArtifactName, Binding>, text: string): Binding {
  const binding = bindings.get(parseArtifactName(text));
  if (binding !== undefined) return binding;
  const meant = suggest(text, bindings.keys());
  throw new ArtError(
    'BINDING_NOT_FOUND',
    `"${text}" is bound to no folder`,
    meant === undefined ? {} : { hint: `Did you mean "${meant}"?` },
  );
}

async function statusOf(context: Context, binding: Binding): Promise<StatusResult> {
  const { store, root, tmp } = context;
  const dir = boundFolder(root, binding);
  const pin = readPins(root).get(binding.name);
  const held = await heldHere(context, binding, dir);
  const stale = await renamedBinding(context, binding);
  if (stale !== undefined) context.onWarning?.(stale.message);
  const artifact = await findArtifact(store, binding.name);
  const latest = artifact === undefined ? undefined : await findLatest(store, artifact);
  const heldVersion =
    held === undefined || artifact === undefined
      ? undefined
      : await findVersionOfCommit(store, artifact, held.commit, held.number);
  const tree = held?.tree ?? (await treeOfPin(context, pin?.commit));
  const changes = { added: [] as string[], modified: [] as string[], removed: [] as string[] };
  const compared = compareFolder({
    dir,
    tree,
    source: store,
    statCache: statCacheOf(context, [dir]),
    tmpDir: tmp,
    stopAt: root,
    ...watched(context),
  });
  for await (const batch of compared) for (const { path, change } of batch) changes[change].push(path);
  const number = heldVersion?.number ?? held?.number;
  return {
    name: binding.name,
    path: binding.path,
    held: number === undefined ? null : `v${number}`,
    locked: pin === undefined ? null : formatCid({ kind: NODE, digest: pin.commit }),
    latest: latest === undefined ? null : `v${latest.number}`,
    behind: latest === undefined || number === undefined ? 0 : Math.max(0, latest.number - number),
    clean: changes.added.length + changes.modified.length + changes.removed.length === 0,
    ...changes,
    unpushed:
      artifact === undefined ? [] : [...(await unpushedNumbers(context, artifact))].sort((a, b) => a - b),
  };
}

/** What the folder holds of the artifact that it is bound to; warns where that is not one version, whole. */
async function heldHere(context: Context, { name, path }: Binding, dir: string): Promise<Held | undefined> {
  const { store, onWarning } = context;
  const held = await findLiveHeld(store, dir);
  if (held === undefined) return undefined;
  const unfinished = await unfinishedText(context, held, path);
  if (unfinished !== undefined) onWarning?.(unfinished);
  else if (held.artifact !== name) onWarning?.(holdsAnother(held, name));
  else if (held.partial)
    onWarning?.(`${JSON.stringify(path)} holds only part of ${held.artifact}:v${held.number}`);
  return held.artifact === name ? held : undefined;
}

/** What is said of the bound folder of `name` with a version of another artifact in it. */
export function holdsAnother({ path, artifact, number }: Held, name: ArtifactName): string {
  return `${JSON.stringify(path)} holds ${artifact}:v${number}, and no version of "${name}"`;
}

async function treeOfPin(context: Context, commit: Digest | undefined): Promise<Digest | undefined> {
  if (commit === undefined) return undefined;
  const absent = await context.store.missing([{ kind: NODE, digest: commit }]);
  return absent.length > 0 ? undefined : (await getCommit(context.store, commit)).tree;
}
