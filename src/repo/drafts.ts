/** Keeps drafts: versions that many processes put together part by part, and that nobody sees before they are published. */
import { ArtError, Closing, equalBytes } from '#base';
import type { Transaction } from '#store';
import {
  encodeStoredDraft,
  findVersionOfCommit,
  parseArtifactName,
  parseDraftId,
  recordKeys,
} from '#version';
import type { ArtifactName, StoredDraft } from '#version';
import { namingOf } from './commit-plan.ts';
import type { CommitRequest, CommitResult } from './commit-request.ts';
import { checkComposed, findOnto, originOf, shownVersion } from './compose.ts';
import type { Context } from './context.ts';
import { draftNotFound, findDraft } from './draft-records.ts';
import { countingOnly, decideOnly } from './dry-run.ts';
import type { FoundVersion } from './find.ts';
import { cidOf } from './look.ts';
import { decideVersion, keepVersion, wouldBe } from './new-version.ts';
import type { Decided } from './new-version.ts';
import { publishOperation } from './operation.ts';
import type { Draft } from './operation.ts';
import { builtOn, emptyTree, layParts, prepareParts, takeParts } from './parts.ts';
import type { Batch } from './parts.ts';
import { rebegun } from './rebegun.ts';
import { hintToBringBack } from './removed-by.ts';

/**
 * Adds to the draft `id`, which the first part begins. Two parts that add one path with different content: the second is
 * refused unless it overwrites. Stopped at any moment it leaves the draft as it was.
 * Raises USAGE, DRAFT_FINISHED, DRAFT_CONFLICT (begun on another version), and what `composeVersion` raises.
 */
export async function addPart(context: Context, request: CommitRequest, id: string): Promise<CommitResult> {
  const draftId = parseDraftId(id);
  const artifact = parseArtifactName(checkComposed(request));
  refuseNames(request);
  await using closing = new Closing();
  const batches = await prepareParts(context, request.add ?? [], closing);
  return await rebegun(context.store, async (real) => {
    const onto = await findOnto(context, request);
    const tx = request.dryRun ? countingOnly(real) : real;
    const part: Part = { request, artifact, id: draftId, onto, batches, closing };
    const { draft, newBytes, storedBytes } = await publishPart(context, tx, part);
    return resultOf(draft, newBytes, storedBytes);
  });
}

/**
 * Makes the draft `id` a version. Finished before, it gives the version that it became then; what is said about the
 * version still applies. Raises DRAFT_NOT_FOUND with the drafts there are, TYPE_MISMATCH, NAME_TAKEN, VERSION_NOT_FOUND
 * (what it became was deleted).
 */
export async function finishDraft(
  context: Context,
  request: CommitRequest,
  id: string,
): Promise<CommitResult> {
  const draftId = parseDraftId(id);
  refuseParts(request);
  const naming = namingOf(request, request.name!);
  const decide = async (draft: Draft): Promise<Decided> => {
    const key = recordKeys.draft(naming.name, draftId);
    const stored = await findDraft(draft, key);
    if (stored === undefined) throw await draftNotFound(draft, naming.name, id);
    const { tree, files, bytes, onto } = stored;
    const content = { naming, tree, files, bytes, newBytes: 0, storedBytes: 0, onto };
    if (stored.became === null) {
      const made = await decideVersion(context, request, draft, content);
      const became = { number: made.number, commit: made.commit };
      draft.setRecord(key, encodeStoredDraft({ ...stored, became, changed: context.now() }));
      return made;
    }
    const { number, commit } = stored.became;
    const found = await draft.findArtifact(naming.name);
    const version = found && (await findVersionOfCommit(draft, found, commit, number));
    if (found === undefined || version === undefined)
      throw new ArtError(
        'VERSION_NOT_FOUND',
        `the draft "${id}" became "${naming.name}:v${number}", which was deleted`,
        await hintToBringBack(draft, commit, number),
      );
    context.onWarning?.(`the draft "${id}" was finished before: it became ${naming.name}:v${version.number}`);
    return keepVersion(context, request, draft, found, version, content);
  };
  await using tx = await context.store.begin();
  if (request.dryRun) return wouldBe(await decideOnly(countingOnly(tx), context, decide));
  return (await publishOperation(tx, context, decide)).result;
}

interface Part {
  readonly request: CommitRequest;
  readonly artifact: ArtifactName;
  readonly id: StoredDraft['id'];
  readonly onto: FoundVersion | undefined;
  readonly batches: readonly Batch[];
  readonly closing: Closing;
}

interface PublishedPart {
  readonly draft: StoredDraft;
  readonly newBytes: number;
  readonly storedBytes: number;
}

/** Lays the part over the draft as it is now; under the lock again if another part came in meanwhile. */
async function publishPart(context: Context, tx: Transaction, part: Part): Promise<PublishedPart> {
  const key = recordKeys.draft(part.artifact, part.id);
  const seen = await findDraft(context.store, key);
  refuseUnlike(part, seen);
  const start = await startOf(tx, seen, part.onto);
  const trees = await takeParts(context, tx, part.batches, part.closing);
  const what = `the draft "${part.id}"`;
  const pause = () => tx.breathe();
  const laid = await layParts(tx, start, trees, part.request, {
    what: seen === undefined && part.onto ? shownVersion(part.onto) : what,
    pause,
  });
  tx.settle();
  const { rawBytes: newBytes, storedBytes } = tx.stats;
  const published = await tx.publish(async (locked) => {
    const now = await findDraft(locked, key);
    refuseUnlike(part, now);
    const isSame =
      now === undefined ? seen === undefined : seen !== undefined && equalBytes(now.tree, seen.tree);
    const { root, files } =
      isSame || now === undefined
        ? laid
        : await layParts(locked, await builtOn(tx, now.tree, now.files), trees, part.request, { what });
    const before = now ?? seen;
    const time = context.now();
    const draft: StoredDraft = {
      artifact: part.artifact,
      id: part.id,
      onto: before === undefined ? (part.onto === undefined ? null : originOf(part.onto)) : before.onto,
      tree: root.digest,
      files,
      bytes: root.bytes,
      parts: (before?.parts ?? 0) + 1,
      started: before?.started ?? time,
      changed: time,
      became: null,
    };
    if (!part.request.dryRun) locked.setRecord(key, encodeStoredDraft(draft));
    return { draft, newBytes, storedBytes };
  });
  if (!part.request.dryRun) for (const tree of trees) tree.published();
  return published;
}

async function startOf(tx: Transaction, seen: StoredDraft | undefined, onto: FoundVersion | undefined) {
  if (seen !== undefined) return builtOn(tx, seen.tree, seen.files);
  return onto === undefined ? emptyTree(tx) : builtOn(tx, onto.commit.tree, onto.commit.files);
}

function refuseUnlike({ id, artifact, onto }: Part, now: StoredDraft | undefined): void {
  if (now === undefined) return;
  if (now.became !== null)
    throw new ArtError(
      'DRAFT_FINISHED',
      `the draft "${id}" is finished: it became "${artifact}:v${now.became.number}"`,
    );
  if (onto === undefined) return;
  const begun = now.onto === null ? 'empty' : `on "${now.onto.artifact}:v${now.onto.number}"`;
  if (now.onto === null || !equalBytes(now.onto.commit, onto.version.commit))
    throw new ArtError(
      'DRAFT_CONFLICT',
      `the draft "${id}" was begun ${begun}, not on ${shownVersion(onto)}`,
    );
}

/** A part is no version: what is said about one is said when the draft is finished. */
function refuseNames(request: CommitRequest): void {
  const { type, message, aliases = [], tags = [], metadata, description } = request;
  const isNamed = [type, message, metadata, description].some((given) => given !== undefined);
  if (isNamed || aliases.length + tags.length > 0)
    throw new ArtError(
      'USAGE',
      'a part is no version yet: type, message, names and metadata go with --finish',
    );
}

function refuseParts({ name, add, remove, onto, paths, overwrite, part, ...request }: CommitRequest): void {
  if (name === undefined) throw new ArtError('USAGE', '--finish needs the NAME of the artifact');
  const isMore = [add, remove, onto, paths, part].some((given) => given !== undefined) || overwrite;
  if (isMore || request.bind !== undefined || request.allowEmpty)
    throw new ArtError('USAGE', '--finish publishes what the parts brought: add with --part before');
}

function resultOf(
  { artifact, onto, tree, files, bytes }: StoredDraft,
  newBytes: number,
  storedBytes: number,
): CommitResult {
  return {
    name: artifact,
    version: null,
    cid: null,
    tree: cidOf(tree),
    created: false,
    base: onto !== null && onto.artifact === artifact ? `v${onto.number}` : null,
    behind: 0,
    files,
    bytes,
    newBytes,
    storedBytes,
    aliases: [],
  };
}
