/** Takes operations back: a new state with the inverse of what they changed, or the files that a checkout destroyed. */
import { ArtError, assert, isArtError } from '#base';
import { isDigest } from '#object';
import type { Digest } from '#object';
import type { NodeSource, RecordSource } from '#store';
import { artifactOfKey, loadArtifact, recordKeys, takeBack } from '#version';
import type { Artifact, ArtifactName, Operation, TakenBack, Version } from '#version';
import type { Context } from './context.ts';
import { decideOnly } from './dry-run.ts';
import { isoTime } from './look.ts';
import { isOfFolders, restoreLost } from './lost.ts';
import { publishOperation } from './operation.ts';
import type { Draft } from './operation.ts';
import { getOperation, operations } from './operations.ts';
import { planRebinding, repairPin } from './pins.ts';
import { remotesThatSaw } from './seen-at.ts';
import { readPins, readWanted } from './wanted-files.ts';

export interface UndoRequest {
  /** Absent: this user's newest outside runs that is in effect and is no undo itself. */
  readonly operation?: number;
  readonly dryRun?: boolean;
}

export interface UndoResult {
  /** The operation that took it back; null for a dry run. */
  readonly op: number | null;
  /** The operation that was taken back, when it was made, by whom and by which command. */
  readonly undone: number;
  /** ISO 8601. */
  readonly time: string;
  readonly user: string;
  readonly command: string;
  /** What was taken back, in words: `cifar: v3 is taken back`. */
  readonly changes: readonly string[];
  /** The command that does it again; null for a dry run, and where files were put back. */
  readonly redo: string | null;
}

const COMMAND_LENGTH_MAX = 60;

/**
 * Takes one operation back, whole. What came later stays, or it is refused. Files on disk are touched only to put back
 * what a checkout destroyed. Raises OPERATION_NOT_FOUND, UNDO_UNCLEAR, UNDO_REFUSED, UNDO_GONE, NAME_TAKEN,
 * UNCOMMITTED_CHANGES.
 */
export async function undo(context: Context, request: UndoRequest = {}): Promise<UndoResult> {
  const { store } = context;
  readPins(context.root); // What is wrong there is said before anything is published.
  readWanted(context.root);
  const operation =
    request.operation === undefined ? await newestOwn(context) : await getOperation(store, request.operation);
  await refuseUndone(store, operation.number);
  const dryRun = request.dryRun === true;
  const ofFolders = isOfFolders(operation);
  const done = ofFolders
    ? await restoreLost(context, operation, { dryRun })
    : await undoChanges(context, operation, { dryRun });
  const { number, time, user, command } = operation;
  const redo = done.op === null || ofFolders ? null : `art undo ${done.op}`;
  return { op: done.op, undone: number, time: isoTime(time), user, command, changes: done.words, redo };
}

/**
 * This user's newest operation outside runs; raises UNDO_UNCLEAR if what is in effect of others came later, or came with it
 * from a remote.
 */
async function newestOwn(context: Context): Promise<Operation> {
  const { store, author } = context;
  const others: { newest?: Operation; deepest?: Operation & { readonly undoes: number } } = {};
  for await (const operation of operations(store)) {
    const { number, user, run, undone, undoes } = operation;
    if (undone) continue;
    if (user !== author || run !== null) {
      if (undoes === null) others.newest ??= operation;
      else if (others.deepest === undefined || undoes < others.deepest.undoes)
        others.deepest = { ...operation, undoes };
      continue;
    }
    if (undoes !== null) continue;
    // Somebody who took back what came later still has left nothing that is later.
    const deepest = others.deepest && others.deepest.undoes < number ? others.deepest : undefined;
    const later = others.newest ?? deepest;
    if (later === undefined) {
      await refuseMerged(context, operation);
      return operation;
    }
    const whose = later.run === null ? `by ${later.user}` : `in the run ${later.run}`;
    throw new ArtError(
      'UNDO_UNCLEAR',
      `operation ${later.number} ${whose} came after your newest, ${number}`,
      {
        hint: `\`art undo ${number}\` takes back yours, \`art undo ${later.number}\` the other; \`art ops\` lists all.`,
      },
    );
  }
  throw new ArtError('OPERATION_NOT_FOUND', 'there is no operation of yours left to take back');
}

/** What others made, and a remote has, goes for everybody with the next push: that is said by number. */
async function refuseMerged(context: Context, operation: Operation): Promise<void> {
  const { number, command } = operation;
  if ((await context.store.getRecord(recordKeys.merged(number))) === undefined) return;
  for (const change of await artifactChanges(context.store, operation)) {
    const remotes = await remotesThatSaw(context, change.after.state.name as ArtifactName, change);
    if (remotes.length === 0) continue;
    throw new ArtError(
      'UNDO_UNCLEAR',
      `operation ${number} (${command.split('\n', 1)[0].slice(0, COMMAND_LENGTH_MAX)}) brought what others have made: ` +
        `once it is taken back here, the next push to ${remotes.join(', ')} takes it back for everybody`,
      { hint: `\`art undo ${number}\` does that all the same; \`art ops\` lists what came before.` },
    );
  }
}

async function refuseUndone(source: Context['store'] | Draft, number: number): Promise<void> {
  for await (const { undoes, undone, number: by } of operations(source, { from: number })) {
    if (undoes !== number || undone) continue;
    throw new ArtError('UNDO_REFUSED', `operation ${number} was taken back by operation ${by} already`, {
      hint: `\`art undo ${by}\` does it again.`,
    });
  }
}

interface Done {
  readonly words: readonly string[];
  readonly op: number | null;
}

async function undoChanges(
  context: Context,
  operation: Operation,
  { dryRun }: { readonly dryRun: boolean },
): Promise<Done> {
  await using tx = await context.store.begin();
  const decide = async (draft: Draft) => {
    await refuseUndone(draft, operation.number);
    const parts: Part[] = [];
    for (const change of await artifactChanges(draft, operation))
      parts.push(await undoOne(context, draft, operation.number, change));
    const words = parts.flatMap((part) => part.taken.words.map((word) => `${part.name}: ${word}`));
    if (words.length === 0)
      throw new ArtError('UNDO_REFUSED', `nothing of operation ${operation.number} is left to take back`);
    return { words, parts, op: draft.number };
  };
  if (dryRun) {
    const would = await decideOnly(tx, context, decide);
    await tellRemotes(context, would.parts, 'a push after that takes it back there too, for everybody');
    return { words: would.words, op: null };
  }
  const { words, parts, op } = await publishOperation(tx, context, decide, { undoes: operation.number });
  // Still under the lock: the database stays open until the transaction ends.
  for (const { name, taken, rebind } of parts) {
    rebind();
    await repairPin(context, name, taken.restored);
  }
  const until = `unless \`art undo ${op}\` comes before`;
  await tellRemotes(context, parts, `the next push takes it back there too, for everybody, ${until}`);
  return { words, op };
}

async function tellRemotes(context: Context, parts: readonly Part[], what: string): Promise<void> {
  for (const { name, change } of parts) {
    const remotes = await remotesThatSaw(context, change.after.state.name as ArtifactName, change);
    if (remotes.length > 0) context.onWarning?.(`${name}: ${remotes.join(', ')} has this already; ${what}`);
  }
}

/** What an operation did to one artifact. A rename is one change under two names. */
interface ArtifactChange {
  readonly before: Artifact | undefined;
  readonly after: Artifact;
}

async function artifactChanges(
  source: NodeSource,
  { number, changes }: Operation,
): Promise<ArtifactChange[]> {
  const found: ArtifactChange[] = [];
  const renaming = renamingOf(changes);
  for (const { ref, before, after } of changes) {
    if (artifactOfKey(ref) === undefined)
      throw new ArtError(
        'UNDO_REFUSED',
        `operation ${number} changed ${ref}, which this art cannot take back`,
      );
    // The name that an artifact lost: its change is told under the name it got.
    if (after === null) continue;
    const was = before ?? (ref === renaming?.to ? renaming.before : null);
    found.push({
      before: was === null ? undefined : await loadState(source, number, was),
      after: await loadState(source, number, after),
    });
  }
  return found;
}

interface Renaming {
  readonly from: string;
  readonly to: string;
  readonly before: Digest | null;
}

/** No operation renames more than one artifact: one ref vanishes, another comes to be. */
function renamingOf(changes: Operation['changes']): Renaming | undefined {
  const lost = changes.find(({ ref, after }) => after === null && artifactOfKey(ref) !== undefined);
  const got = changes.find(({ ref, before }) => before === null && artifactOfKey(ref) !== undefined);
  return lost && got && { from: lost.ref, to: got.ref, before: lost.before };
}

/** What the artifact is called now that was called `name` right after operation `number`. */
async function nameNow(source: RecordSource, name: ArtifactName, number: number): Promise<ArtifactName> {
  const renamings: Renaming[] = [];
  for await (const { changes } of operations(source, { from: number + 1 })) {
    const renaming = renamingOf(changes);
    if (renaming !== undefined) renamings.unshift(renaming);
  }
  let ref = recordKeys.artifact(name);
  for (const { from, to } of renamings) if (from === ref) ref = to;
  return artifactOfKey(ref)!;
}

async function loadState(source: NodeSource, number: number, digest: Digest): Promise<Artifact> {
  try {
    return await loadArtifact(source, digest);
  } catch (error) {
    throw orGone(error, number);
  }
}

interface Part {
  readonly name: ArtifactName;
  readonly change: ArtifactChange;
  readonly taken: TakenBack;
  readonly rebind: () => void;
}

async function undoOne(
  context: Context,
  draft: Draft,
  number: number,
  change: ArtifactChange,
): Promise<Part> {
  const { before, after } = change;
  const became = after.state.name as ArtifactName;
  const name = await nameNow(draft, became, number);
  const current = await draft.findArtifact(name);
  assert(current !== undefined, 'an artifact keeps its ref, even deleted');
  const by = { who: context.author, when: context.now() };
  const taken = await takeBack(draft, { before, after, current }, by);
  for (const version of taken.restored) await checkThere(draft, name, version);
  const was = (before?.state.name ?? became) as ArtifactName;
  if (was !== became && name !== became && name !== was)
    throw new ArtError('UNDO_REFUSED', `"${became}" cannot be called "${was}" again: it is "${name}" since`);
  const to = name === became ? was : name;
  if (to !== name) await draft.renameArtifact(taken.artifact, to);
  else if (taken.artifact !== current) await draft.setArtifact(taken.artifact);
  const rebind = planRebinding(context, { name, to, type: taken.artifact.state.type });
  if (to === name) return { name, change, taken, rebind };
  return {
    name: to,
    change,
    taken: { ...taken, words: [`is called so again, no longer "${name}"`, ...taken.words] },
    rebind,
  };
}

// Its state was there; what gc removes goes parents first, so with these all below them is there too.
async function checkThere(
  source: NodeSource,
  name: string,
  { number, commit, metadata }: Version,
): Promise<void> {
  try {
    await source.getNodes(metadata !== undefined && isDigest(metadata) ? [commit, metadata] : [commit]);
  } catch (error) {
    if (!isArtError(error, 'OBJECT_NOT_FOUND')) throw error;
    throw new ArtError('UNDO_GONE', `"${name}:v${number}" was freed by gc`, { cause: error });
  }
}

function orGone(error: unknown, number: number): unknown {
  if (!isArtError(error, 'OBJECT_NOT_FOUND')) return error;
  return new ArtError('UNDO_GONE', `what operation ${number} changed was freed by gc`, { cause: error });
}
