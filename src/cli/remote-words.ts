/** What the commands that talk to a remote have in common: their words, the bucket they open, what they tell. */
import { ArtError, formatBytes, formatCount, isArtError, suggest } from '#base';
import type { RemoteAddress, RemoteEntry, Repository } from '#repo';
import type { Bucket, SyncRequest, SyncResult } from '#sync';
import type { Output } from './output.ts';
import { printable } from './text.ts';
import type { Environment } from './who.ts';
import { keepYoungHeapSmall } from './young-heap.ts';

/** Of an artifact, so many versions that were deleted are named. */
const DELETED_SHOWN_MAX = 10;

/** How to reach a store whose URL is given. */
export const REACH_OPTIONS = {
  endpoint: { kind: 'text', value: 'URL', given: 'once', describe: 'Where the S3-compatible store answers' },
  region: { kind: 'text', value: 'R', given: 'once', describe: 'Its region' },
  'path-style': { kind: 'switch', describe: 'Put the bucket in the path of requests, not in the host name' },
  profile: { kind: 'text', value: 'P', given: 'once', describe: 'Credentials of this AWS profile' },
} as const;

/** The options of `remote add` and `clone`. */
export const ADDRESS_OPTIONS = {
  ...REACH_OPTIONS,
  local: { kind: 'switch', describe: 'Keep it in .art/config.toml, for this repository alone' },
} as const;

interface ReachValues {
  readonly endpoint: string | undefined;
  readonly region: string | undefined;
  readonly 'path-style': boolean;
  readonly profile: string | undefined;
}

/** The options as the library takes them. */
export function reachOf(options: ReachValues): Omit<RemoteAddress, 'url'> {
  const { endpoint, region, profile } = options;
  return {
    ...(endpoint !== undefined && { endpoint }),
    ...(region !== undefined && { region }),
    ...(options['path-style'] && { pathStyle: true }),
    ...(profile !== undefined && { profile }),
  };
}

/** The options of `remote add` and `clone` as the library takes them. */
export function addressOf(
  options: ReachValues & { readonly local: boolean },
): Omit<RemoteAddress, 'url'> & { readonly local: boolean } {
  return { local: options.local, ...reachOf(options) };
}

/** The first word is a remote if one has that name; the rest, and else all of them, are artifacts. */
function remoteAndNames(
  repository: Repository,
  words: readonly string[],
): { readonly remote: RemoteEntry; readonly names: readonly string[] } {
  const [first, ...rest] = words;
  const isRemote = first !== undefined && repository.remotes().some(({ name }) => name === first);
  return isRemote
    ? { remote: repository.remote(first), names: rest }
    : { remote: repository.remote(), names: words };
}

/** What becomes of a folder that is missing; see `openBucket`. */
type Absent = 'made' | 'empty' | undefined;

/** Opens what a remote names. */
export async function openRemote(
  root: string,
  remote: RemoteAddress,
  setting: { readonly env: Environment; readonly now: () => number; readonly absent?: Absent },
): Promise<Bucket> {
  keepYoungHeapSmall();
  const { openBucket } = await import('#sync');
  const { url, endpoint, region, pathStyle, profile } = remote;
  return openBucket(url, {
    cwd: root,
    env: setting.env,
    home: setting.env['HOME'],
    now: setting.now,
    absent: setting.absent,
    endpoint,
    region,
    pathStyle,
    profile,
  });
}

/** Runs a library call against the remote that the words name. */
export async function withRemote(
  repository: Repository,
  words: readonly string[],
  setting: { readonly env: Environment; readonly now: () => number; readonly absent?: Absent },
  work: (repository: Repository, request: SyncRequest) => Promise<SyncResult>,
): Promise<SyncResult> {
  const { remote, names } = remoteAndNames(repository, words);
  // A folder that was there and is gone lies on a share that is not mounted, more often than not.
  const absent = (await repository.wasSeen(remote.name)) ? undefined : setting.absent;
  await using bucket = await openRemote(repository.root, remote, { ...setting, absent });
  try {
    return await work(repository, { remote: remote.name, bucket, names });
  } catch (error) {
    throw maybeRemote(error, names[0], repository);
  }
}

/** A first word that is no artifact may be the slip of a remote's name. */
function maybeRemote(error: unknown, word: string | undefined, repository: Repository): unknown {
  if (word === undefined || !isArtError(error, 'ARTIFACT_NOT_FOUND')) return error;
  const remotes = repository.remotes().map(({ name }) => name);
  const meant = suggest(word, remotes);
  if (meant === undefined || !error.message.includes(JSON.stringify(word))) return error;
  const hint = `Did you mean the remote "${meant}"?`;
  return new ArtError('ARTIFACT_NOT_FOUND', `${JSON.stringify(word)} is neither a remote nor an artifact`, {
    hint,
  });
}

interface Said {
  readonly verb: string;
  readonly nothing: string;
  readonly by: 'push' | 'pull';
  /** Nothing was done: of a push it is known what at most would go, of what would come only the versions. */
  readonly dryRun?: boolean;
}

/** Runs a push, fetch, pull or clone, and tells people, or a program, what it did, also where some of it did not go through. */
export async function syncAndTell(work: () => Promise<SyncResult>, out: Output, said: Said): Promise<void> {
  try {
    await tellSync(await work(), out, said);
  } catch (error) {
    if (!isArtError(error) || error.done === undefined) throw error;
    const { code, message, hint } = error;
    const done = documentOf(error.done as SyncResult);
    if (out.json)
      throw new ArtError(code, message, { cause: error, done, ...(hint !== undefined && { hint }) });
    await tellSync(error.done as SyncResult, out, said);
    await out.end(); // What is told goes before the error, and is no part of what it takes back.
    throw error;
  }
}

/** What the contract says of it. */
function documentOf({ deleted: _, moved: __, ...document }: SyncResult): object {
  return document;
}

async function tellSync(result: SyncResult, out: Output, said: Said): Promise<void> {
  if (out.json) return out.document(documentOf(result));
  const { remote, versions, renumbered, deleted, moved, objects, bytes, requests, upToDate } = result;
  if (upToDate) return out.say(`${said.nothing} ${remote}`);
  const sent = `${formatCount(objects, 'object')}, ${formatBytes(bytes)}`;
  const figures = {
    done: `, ${sent} in ${formatCount(requests, 'request')}`,
    push: `, at most ${sent} before compression`,
    pull: '',
  }[said.dryRun === true ? said.by : 'done'];
  out.say(`${said.verb} ${remote}: ${formatCount(versions, 'version')}${figures}`);
  for (const { name, from, to } of renumbered)
    await out.line(`${printable(name)}: your ${from} is now ${out.style('bold', to)}`);
  const where = said.by === 'push' ? 'there, for everybody' : 'by others';
  for (const { name, alias, from, to } of moved)
    await out.line(
      `${printable(name)}: ${printable(alias)} is ${to ?? 'gone'}${to === null ? '' : ' now'}, and was ${from}`,
    );
  for (const { name, renamedTo, numbers } of deleted) {
    if (renamedTo !== null && said.by === 'pull') continue; // A warning has told it.
    if (renamedTo !== null) {
      const verb = said.dryRun === true ? 'would be called' : 'is called';
      await out.line(`${printable(name)}: ${verb} ${printable(renamedTo)} ${where}`);
      continue;
    }
    const shown = numbers.slice(0, DELETED_SHOWN_MAX).map((number) => `v${number}`);
    const more = numbers.length - shown.length;
    const which = shown.join(', ') + (more > 0 ? ` and ${more} more` : '');
    const verb = said.dryRun === true ? 'would be deleted' : 'deleted';
    await out.line(`${printable(name)}: ${verb} ${where}: ${which}`);
  }
}
