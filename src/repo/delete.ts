/** Deletes versions: they leave tombstones, and undo brings them back until gc has freed them. */
import { ArtError, formatBytes, formatCount } from '#base';
import { isDigest } from '#object';
import type { Digest } from '#object';
import type { NodeSource, Roots } from '#store';
import {
  aliasesByNumber,
  artifactOfKey,
  decodeRef,
  listVersions,
  loadArtifact,
  parseArtifactName,
  parseSpec,
  parseTarget,
  recordKeys,
  removeVersions,
} from '#version';
import type { Artifact, ArtifactName, Version } from '#version';
import { watchedWalk } from './context.ts';
import type { Context } from './context.ts';
import { decideOnly } from './dry-run.ts';
import { getArtifact, resolveHere } from './find.ts';
import { publishOperation, records } from './operation.ts';
import type { Draft } from './operation.ts';
import { repairPin } from './pins.ts';
import { readPins, readWanted } from './wanted-files.ts';

export interface DeleteRequest {
  /** SPECs and ranges `NAME:v3..v40`, both ends included; with `all` NAMEs. */
  readonly targets: readonly string[];
  readonly all?: boolean;
  /** Leaves versions that have an alias other than `latest`. */
  readonly exceptAliased?: boolean;
  /** Deletes versions that have an alias other than `latest`, too. */
  readonly force?: boolean;
  readonly dryRun?: boolean;
}

export interface DeleteResult {
  /** NAME:vN. */
  readonly deleted: readonly string[];
  /** Stored bytes that only the deleted versions need: gc frees them when no undo can want them any more. */
  readonly freeable: number;
  /** Null if nothing was deleted. */
  readonly op: number | null;
  /** The command that takes it back. */
  readonly undo: string | null;
}

/**
 * Deletes all that is named, in one operation, or nothing. Raises DELETE_UNCLEAR for a bare name without `all`,
 * VERSION_NAMED for aliases without `force`, and what finding versions raises.
 */
export async function deleteVersions(context: Context, request: DeleteRequest): Promise<DeleteResult> {
  readPins(context.root); // What is wrong there is said before anything is deleted.
  readWanted(context.root);
  const doomed = await rehearse(context, request);
  const freeable = await context.store.bytesOnlyBelow(
    doomed.flatMap(linksOf),
    rootsWithout(doomed),
    watchedWalk(context),
  );
  const deleted = doomed.flatMap(({ name, versions }) => versions.map(({ number }) => `${name}:v${number}`));
  if (request.dryRun === true || deleted.length === 0) return { deleted, freeable, op: null, undo: null };
  await using tx = await context.store.begin();
  const done = await publishOperation(tx, context, async (draft) => {
    const now = await doom(draft, request);
    for (const { artifact, versions } of now) {
      const numbers = versions.map(({ number }) => number);
      if (numbers.length === 0) continue;
      const by = { who: context.author, when: context.now() };
      await draft.setArtifact(await removeVersions(draft, artifact, numbers, by));
    }
    return { now, op: draft.number };
  });
  for (const { name } of done.now) await repairPin(context, name);
  return {
    deleted: done.now.flatMap(({ name, versions }) => versions.map(({ number }) => `${name}:v${number}`)),
    freeable,
    op: done.op,
    undo: `art undo ${done.op}`,
  };
}

/** The versions of one artifact that go, in ascending order. */
interface Doomed {
  readonly name: ArtifactName;
  readonly artifact: Artifact;
  readonly versions: readonly Version[];
}

async function rehearse(context: Context, request: DeleteRequest): Promise<readonly Doomed[]> {
  await using tx = await context.store.begin();
  return decideOnly(tx, context, (draft) => doom(draft, request));
}

async function doom(draft: Draft, request: DeleteRequest): Promise<readonly Doomed[]> {
  const chosen = new Map<ArtifactName, { artifact: Artifact; versions: Map<number, Version> }>();
  for (const target of request.targets) {
    const name = nameOf(target);
    const artifact = chosen.get(name)?.artifact ?? (await getArtifact(draft, name));
    const versions = chosen.get(name)?.versions ?? new Map<number, Version>();
    chosen.set(name, { artifact, versions });
    for (const version of await meant(draft, artifact, target, request))
      versions.set(version.number, version);
  }
  return [...chosen].map(([name, { artifact, versions }]) => {
    const sorted = [...versions.values()].sort((a, b) => a.number - b.number);
    return { name, artifact, versions: spared(artifact, sorted, request) };
  });
}

const RANGE = /^(.*):v(\d{1,16})\.\.v?(\d{1,16})$/i;

function nameOf(target: string): ArtifactName {
  const range = RANGE.exec(target);
  return range === null ? parseSpec(target).name : parseArtifactName(range[1]);
}

async function meant(
  source: Draft,
  artifact: Artifact,
  target: string,
  { all }: DeleteRequest,
): Promise<readonly Version[]> {
  const range = RANGE.exec(target);
  const isBare = range === null && parseTarget(target).kind === 'artifact';
  if (all === true) {
    if (!isBare)
      throw new ArtError(
        'USAGE',
        `--all deletes whole artifacts, and ${JSON.stringify(target)} is no bare name`,
      );
    return between(source, artifact, 0, Infinity);
  }
  if (range !== null) return inRange(source, artifact, Number(range[2]), Number(range[3]));
  if (isBare) throw unclear(artifact);
  const spec = parseSpec(target);
  const { selector } = spec;
  if (selector.by === 'alias' && selector.alias.includes('..') && !artifact.state.aliases.has(selector.alias))
    throw new ArtError('SPEC_INVALID', `${JSON.stringify(target)} is no range`, {
      hint: `A range has a number on both ends: ${artifact.state.name}:v3..v40.`,
    });
  return [await resolveHere(source, artifact, spec)];
}

function unclear({ state: { name, versionCount, bytes } }: Artifact): ArtError {
  const what = `${formatCount(versionCount, 'version')}, ${formatBytes(bytes)}`;
  return new ArtError('DELETE_UNCLEAR', `"${name}" alone would be all of it: ${what}`, {
    hint: `\`art delete ${name} --all\` deletes it, \`art delete ${name}:latest\` its newest version.`,
  });
}

async function inRange(
  source: NodeSource,
  artifact: Artifact,
  first: number,
  last: number,
): Promise<readonly Version[]> {
  const shown = `${artifact.state.name}:v${first}..v${last}`;
  if (first > last) throw new ArtError('SPEC_INVALID', `the range "${shown}" ends before it begins`);
  const versions = await between(source, artifact, first, last + 1);
  if (versions.length > 0) return versions;
  throw new ArtError('VERSION_NOT_FOUND', `there is no version in the range "${shown}"`);
}

async function between(
  source: NodeSource,
  artifact: Artifact,
  from: number,
  before: number,
): Promise<readonly Version[]> {
  const versions: Version[] = [];
  const range = before === Infinity ? {} : { before };
  for await (const batch of listVersions(source, artifact, { newestFirst: true, ...range })) {
    versions.push(...batch.filter(({ number }) => number >= from));
    if (batch[batch.length - 1].number < from) break;
  }
  return versions;
}

/** Those of `versions` that may go; raises VERSION_NAMED. */
function spared(
  artifact: Artifact,
  versions: readonly Version[],
  request: DeleteRequest,
): readonly Version[] {
  const aliases = aliasesByNumber(artifact);
  const aliased = versions.filter(({ number }) => aliases.has(number));
  if (request.exceptAliased === true) return versions.filter((version) => !aliased.includes(version));
  if (aliased.length === 0 || request.force === true) return versions;
  const named = aliased.slice(0, 5).map(({ number }) => `v${number} (${aliases.get(number)!.join(', ')})`);
  const more = aliased.length > named.length ? ' and more' : '';
  throw new ArtError('VERSION_NAMED', `aliases of "${artifact.state.name}" name ${named.join(', ')}${more}`);
}

function linksOf({ versions }: Doomed): Digest[] {
  return versions.flatMap(strongLinksOf);
}

function strongLinksOf({ commit, metadata }: Version): Digest[] {
  return metadata !== undefined && isDigest(metadata) ? [commit, metadata] : [commit];
}

/** What all artifacts would keep without the doomed versions. */
function rootsWithout(doomed: readonly Doomed[]): Roots {
  return async function* (source) {
    for await (const { key, value } of records(source, recordKeys.artifacts)) {
      const gone = doomed.find(({ name }) => name === artifactOfKey(key));
      if (gone === undefined) {
        yield decodeRef(value);
        continue;
      }
      const numbers = new Set(gone.versions.map(({ number }) => number));
      for await (const batch of listVersions(source, await loadArtifact(source, decodeRef(value))))
        for (const version of batch) if (!numbers.has(version.number)) yield* strongLinksOf(version);
    }
  };
}
