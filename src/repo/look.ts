/** Looks at artifacts and versions: lists, logs, shows. Changes nothing. */
import { assert } from '#base';
import { NODE, formatCid } from '#object';
import type { Digest, Metadata } from '#object';
import type { NodeSource } from '#store';
import { LATEST, aliasesByNumber, findLatest, listVersions, parseArtifactName, parseTarget } from '#version';
import type { Artifact, ArtifactName, Version } from '#version';
import { aliasesOf } from './new-version.ts';
import type { Context } from './context.ts';
import { artifactNames, getArtifact, getCommit, getSpec } from './find.ts';
import { metadataOf } from './set-metadata.ts';

export interface ListRow {
  readonly name: string;
  readonly type: string;
  readonly versions: number;
  readonly latest: string;
  /** Of all its versions together, as if each stood alone. */
  readonly bytes: number;
  /** ISO 8601: the time of the newest commit. */
  readonly updated: string;
  readonly description: string | null;
  readonly tags: readonly string[];
}

export interface LogRow {
  readonly name: string;
  readonly version: string;
  readonly cid: string;
  readonly parents: readonly string[];
  readonly message: string;
  readonly author: string;
  /** ISO 8601. */
  readonly time: string;
  readonly files: number;
  readonly bytes: number;
  readonly aliases: readonly string[];
  readonly tags: readonly string[];
  readonly producers: readonly string[];
}

export interface ShownVersion extends LogRow {
  readonly kind: 'version';
  readonly tree: string;
  readonly type: string;
  readonly description: string | null;
  readonly metadata: Metadata;
  /** Ids of the runs that used it. */
  readonly usedBy: readonly string[];
  /** ISO 8601; null if it is kept for good. */
  readonly expires: string | null;
}

export interface ShownArtifact extends ListRow {
  readonly kind: 'artifact';
  readonly aliases: Readonly<Record<string, string>>;
}

/** The artifacts, by name. */
export async function list(
  context: Context,
  filter: { readonly type?: string; readonly tag?: string; readonly limit?: number } = {},
): Promise<ListRow[]> {
  const rows: ListRow[] = [];
  for (const name of await artifactNames(context.store)) {
    if (rows.length === (filter.limit ?? Infinity)) break;
    const artifact = await getArtifact(context.store, name);
    const { type, tags } = artifact.state;
    if (filter.type !== undefined && type !== filter.type) continue;
    if (filter.tag !== undefined && !tags.includes(filter.tag)) continue;
    rows.push(await listRow(context.store, artifact));
  }
  return rows;
}

async function listRow(source: NodeSource, artifact: Artifact): Promise<ListRow> {
  const { name, type, versionCount, bytes, description, tags } = artifact.state;
  const latest = await findLatest(source, artifact);
  assert(latest !== undefined, 'an artifact without versions is deleted, and never listed');
  const { time } = await getCommit(source, latest.commit);
  return {
    name,
    type,
    versions: versionCount,
    latest: `v${latest.number}`,
    bytes,
    updated: isoTime(time),
    description: description === '' ? null : description,
    tags,
  };
}

/** Versions newest first: of one artifact by number, of all by time. */
export async function* log(context: Context, name?: string): AsyncGenerator<LogRow, void, undefined> {
  const names = name === undefined ? await artifactNames(context.store) : [parseArtifactName(name)];
  const lines: { readonly rows: AsyncGenerator<LogRow, void, undefined>; next: LogRow }[] = [];
  for (const one of names) {
    const rows = logOf(context, one);
    const first = await rows.next();
    if (!first.done) lines.push({ rows, next: first.value });
  }
  while (lines.length > 0) {
    const newest = lines.reduce((a, b) => (b.next.time > a.next.time ? b : a));
    yield newest.next;
    const following = await newest.rows.next();
    if (following.done) lines.splice(lines.indexOf(newest), 1);
    else newest.next = following.value;
  }
}

async function* logOf({ store }: Context, name: ArtifactName): AsyncGenerator<LogRow, void, undefined> {
  const artifact = await getArtifact(store, name);
  const aliases = aliasesByNumber(artifact);
  let latest: number | undefined;
  for await (const batch of listVersions(store, artifact, { newestFirst: true })) {
    for (const version of batch) {
      latest ??= version.number;
      const named = [
        ...(version.number === latest ? ['latest'] : []),
        ...(aliases.get(version.number) ?? []),
      ];
      yield logRow(store, name, version, named);
    }
  }
}

async function logRow(
  source: NodeSource,
  name: string,
  version: Version,
  aliases: readonly string[],
): Promise<LogRow> {
  const commit = await getCommit(source, version.commit);
  return {
    name,
    version: `v${version.number}`,
    cid: cidOf(version.commit),
    parents: commit.parents.map(cidOf),
    message: commit.message,
    author: commit.author,
    time: isoTime(commit.time),
    files: commit.files,
    bytes: commit.bytes,
    aliases,
    tags: version.tags,
    producers: version.producers,
  };
}

/** An artifact, or one version of it. */
export async function show(context: Context, target: string): Promise<ShownArtifact | ShownVersion> {
  const { store } = context;
  const parsed = parseTarget(target);
  if (parsed.kind === 'artifact') {
    const artifact = await getArtifact(store, parsed.name);
    const row = await listRow(store, artifact);
    const set = [...aliasesByNumber(artifact)].flatMap(([number, names]) =>
      names.map((alias) => [alias, `v${number}`] as const),
    );
    // From entries, so that an alias like __proto__ is one like any other.
    return { kind: 'artifact', ...row, aliases: Object.fromEntries([[LATEST, row.latest], ...set]) };
  }
  const { artifact, version, commit } = await getSpec(store, target);
  const latest = await findLatest(store, artifact);
  const row = await logRow(
    store,
    artifact.state.name,
    version,
    aliasesOf(artifact, version.number, latest?.number),
  );
  return {
    kind: 'version',
    ...row,
    tree: cidOf(commit.tree),
    type: artifact.state.type,
    description: version.description ?? null,
    metadata: await metadataOf(store, version.metadata ?? commit.metadata),
    usedBy: [],
    expires: version.ttl === null ? null : isoTime(commit.time + version.ttl),
  };
}

export function cidOf(digest: Digest): string {
  return formatCid({ kind: NODE, digest });
}

export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
