/** Puts a version together from parts, with nothing checked out. */
import { ArtError, Closing } from '#base';
import { namingOf } from './commit-plan.ts';
import type { CommitRequest, CommitResult } from './commit-request.ts';
import type { Context } from './context.ts';
import { countingOnly, decideOnly } from './dry-run.ts';
import { getSpec } from './find.ts';
import type { FoundVersion } from './find.ts';
import { checkType, decideVersion, wouldBe } from './new-version.ts';
import { findArtifact, publishOperation } from './operation.ts';
import type { Draft } from './operation.ts';
import { builtOn, emptyTree, layParts, prepareParts, takeParts } from './parts.ts';
import { rebegun } from './rebegun.ts';
import type { Origin } from '#version';

export function isComposed({ add, remove, onto, overwrite }: CommitRequest): boolean {
  return [add, remove, onto].some((given) => given !== undefined) || overwrite === true;
}

/**
 * Commits what the request adds, over what it builds on, without what it removes. Costs what changes, however large that
 * is. Raises USAGE, PATH_NOT_FOUND, ENTRY_NOT_FOUND (nothing to remove), PATH_TAKEN, TYPE_MISMATCH, what finding `onto`
 * raises, and what reading files raises.
 */
export async function composeVersion(context: Context, request: CommitRequest): Promise<CommitResult> {
  const naming = namingOf(request, checkComposed(request));
  await using closing = new Closing();
  const batches = await prepareParts(context, request.add ?? [], closing);
  return await rebegun(context.store, async (real) => {
    const onto = await findOnto(context, request);
    const artifact = await findArtifact(context.store, naming.name);
    if (artifact !== undefined) checkType(artifact, naming.type);
    const tx = request.dryRun ? countingOnly(real) : real;
    const start = onto === undefined ? emptyTree(tx) : await builtOn(tx, onto.commit.tree, onto.commit.files);
    const parts = await takeParts(context, tx, batches, closing);
    const { root, files } = await layParts(tx, start, parts, request, {
      what: onto === undefined ? 'the new version' : shownVersion(onto),
      pause: () => tx.breathe(),
    });
    tx.settle();
    const { rawBytes: newBytes, storedBytes } = tx.stats;
    const content = { naming, tree: root.digest, files, bytes: root.bytes, newBytes, storedBytes };
    const decide = (draft: Draft) =>
      decideVersion(context, request, draft, {
        ...content,
        onto: onto === undefined ? null : originOf(onto),
      });
    if (request.dryRun) return wouldBe(await decideOnly(tx, context, decide));
    const { result } = await publishOperation(tx, context, decide);
    for (const part of parts) part.published();
    return result;
  });
}

/** The name of what is put together; raises USAGE for what does not go with that. */
export function checkComposed(request: CommitRequest): string {
  const { name, add = [], remove = [], overwrite, paths = [] } = request;
  if (name === undefined) throw new ArtError('USAGE', 'what is put together needs the NAME of its artifact');
  if (paths.length > 0)
    throw new ArtError('USAGE', `${JSON.stringify(paths[0])} stands alone, and the rest is put together`, {
      hint: 'Put --add before each PATH.',
    });
  if (add.length + remove.length === 0)
    throw new ArtError('USAGE', 'there is nothing to add or remove', { hint: 'Name it: --add [DEST=]PATH.' });
  if (remove.length > 0 && request.onto === undefined && request.part === undefined)
    throw new ArtError(
      'USAGE',
      `there is nothing to remove ${JSON.stringify(remove[0])} from: the version begins empty`,
      {
        hint: `Begin with one: --onto ${name} is its latest.`,
      },
    );
  if (overwrite && add.length === 0)
    throw new ArtError('USAGE', '--overwrite means what is added, and nothing is');
  if (request.bind !== undefined || request.allowEmpty)
    throw new ArtError('USAGE', 'what is put together comes from no folder that could be bound or empty');
  return name;
}

export async function findOnto(context: Context, { onto }: CommitRequest): Promise<FoundVersion | undefined> {
  return onto === undefined ? undefined : getSpec(context.store, onto);
}

export function originOf({ artifact, version }: FoundVersion): Origin {
  return {
    artifact: artifact.state.name as Origin['artifact'],
    number: version.number,
    commit: version.commit,
  };
}

export function shownVersion({ artifact, version }: FoundVersion): string {
  return `"${artifact.state.name}:v${version.number}"`;
}
