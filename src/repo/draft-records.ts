/** Reads, lists and forgets the records of drafts. */
import { ArtError, suggest } from '#base';
import type { Digest } from '#object';
import type { RecordSource } from '#store';
import { decodeStoredDraft, recordKeys } from '#version';
import type { ArtifactName, StoredDraft } from '#version';
import type { Context } from './context.ts';
import { records } from './operation.ts';

const LISTED_MAX = 20;

export async function findDraft(source: RecordSource, key: string): Promise<StoredDraft | undefined> {
  const record = await source.getRecord(key);
  return record === undefined ? undefined : decodeStoredDraft(record);
}

/** DRAFT_NOT_FOUND for `id`, with the open drafts there are. */
export async function draftNotFound(
  source: RecordSource,
  artifact: ArtifactName,
  id: string,
): Promise<ArtError> {
  const open: string[] = [];
  for await (const draft of openDrafts(source, artifact)) open.push(draft.id);
  const meant = suggest(id, open);
  const listed = open.slice(0, LISTED_MAX).join(', ') + (open.length > LISTED_MAX ? ', …' : '');
  const hints = [
    ...(meant === undefined ? [] : [`Did you mean "${meant}"?`]),
    ...(open.length === 0 ? [] : [`Open drafts of ${artifact}: ${listed}.`]),
  ];
  return new ArtError(
    'DRAFT_NOT_FOUND',
    `"${artifact}" has no draft "${id}"${open.length === 0 ? ', nor any other that is open' : ''}`,
    hints.length === 0 ? {} : { hint: hints.join(' ') },
  );
}

/** The drafts of an artifact that are no versions yet. */
export async function* openDrafts(
  source: RecordSource,
  artifact: ArtifactName,
): AsyncGenerator<StoredDraft, void> {
  for await (const { draft } of allDrafts(source, recordKeys.draftsOf(artifact)))
    if (draft.became === null) yield draft;
}

/** What gc must keep for the open drafts that changed at `since` or later. */
export async function* draftRoots(source: RecordSource, since: number): AsyncGenerator<Digest[], void> {
  for await (const { draft } of allDrafts(source, recordKeys.drafts)) {
    if (draft.became === null && draft.changed >= since)
      yield [draft.tree, ...(draft.onto === null ? [] : [draft.onto.commit])];
  }
}

/** Forgets drafts, finished ones too, that nobody touched since; gives what the open ones among them were called. */
export async function forgetDrafts(
  context: Context,
  since: number,
  options: { readonly dryRun: boolean },
): Promise<string[]> {
  const old: { readonly key: string; readonly draft: StoredDraft }[] = [];
  for await (const found of allDrafts(context.store, recordKeys.drafts))
    if (found.draft.changed < since) old.push(found);
  if (old.length > 0 && !options.dryRun) {
    await using tx = await context.store.begin();
    await tx.publish(async (locked) => {
      for (const { key } of old) {
        const now = await findDraft(locked, key);
        if (now !== undefined && now.changed < since) locked.setRecord(key, undefined);
      }
    });
  }
  return old
    .filter(({ draft }) => draft.became === null)
    .map(({ draft: { id, artifact } }) => `"${id}" of ${artifact}`);
}

async function* allDrafts(
  source: RecordSource,
  prefix: string,
): AsyncGenerator<{ readonly key: string; readonly draft: StoredDraft }, void> {
  for await (const { key, value } of records(source, prefix)) yield { key, draft: decodeStoredDraft(value) };
}
