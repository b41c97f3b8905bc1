/** Tells what versions take: each alone, and shared with others. */
import type { Digest } from '#object';
import { measureUsage } from '#store';
import { listVersions, parseArtifactName } from '#version';
import { watched } from './context.ts';
import type { RepositoryContext } from './context.ts';
import { artifactNames, getArtifact } from './find.ts';
import { promisedAnything } from './promises.ts';

export interface DuRow {
  readonly name: string;
  readonly version: string;
  /** Bytes, before compression, that no other version in the repository needs. */
  readonly alone: number;
  /** Bytes that it needs and some other version needs too. */
  readonly shared: number;
  /** What both take on disk, compressed. */
  readonly stored: number;
}

export interface DuResult {
  /** By name and number. */
  readonly rows: readonly DuRow[];
  /** What they take on disk together, each object once. */
  readonly stored: number;
}

/**
 * What each version takes, of one artifact or of all; sharing is looked for among all versions of the repository. Its
 * commit and the nodes of its tree count as well as its files; the same content twice in a version counts once.
 * Memory is as `measureUsage` says, and about 100 bytes a version. Raises ARTIFACT_NOT_FOUND.
 */
export async function du(context: RepositoryContext, name?: string): Promise<DuResult> {
  const { disk: store } = context; // What was promised takes nothing here.
  const asked = name === undefined ? undefined : parseArtifactName(name);
  const versions: { readonly name: string; readonly number: number; readonly commit: Digest }[] = [];
  // The ones asked for come first, so that their sum can be taken.
  if (asked !== undefined) await getArtifact(store, asked);
  const others = (await artifactNames(store)).filter((other) => other !== asked);
  let counted = 0;
  for (const artifactName of asked === undefined ? others : [asked, ...others]) {
    const artifact = await getArtifact(store, artifactName);
    for await (const batch of listVersions(store, artifact))
      for (const { number, commit } of batch)
        versions.push({ name: artifactName, number, commit: Uint8Array.from(commit) as Digest });
    if (asked === undefined || artifactName === asked) counted = versions.length;
  }
  const usage = await measureUsage(
    store,
    versions.map(({ commit }) => commit),
    { counted, promised: promisedAnything, ...watched(context) },
  );
  const rows = versions.slice(0, counted).map((version, i) => {
    const { alone, total, stored } = usage.roots[i];
    return {
      name: version.name,
      version: `v${version.number}`,
      alone,
      shared: total - alone,
      stored,
    };
  });
  return { rows, stored: usage.stored };
}
