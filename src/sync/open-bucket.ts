/** Opens the bucket that a URL names: a folder's path, `file://` or `s3://bucket/prefix`. */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ArtError, errnoOf, fileError, syncFolder } from '#base';
import type { Bucket } from './bucket.ts';
import { FolderBucket } from './folder-bucket.ts';
import { MemoryBucket } from './memory-bucket.ts';
import { s3Place } from './s3-place.ts';

export interface BucketOptions {
  /** Where relative paths begin. */
  readonly cwd: string;
  /** The environment; only AWS_* is looked at. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The user's home: `~`, and `.aws` in it. */
  readonly home?: string | undefined;
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
  readonly pathStyle?: boolean | undefined;
  readonly profile?: string | undefined;
  /** A folder of which only itself is missing: made, for the first push, or taken for an empty bucket, to try that. */
  readonly absent?: 'made' | 'empty' | undefined;
  readonly now?: () => number;
  /** An S3 connection on which nothing moves for so long is given up. */
  readonly silenceMs?: number;
}

export type BucketAddress =
  { readonly kind: 'folder'; readonly path: string } | { readonly kind: 's3'; readonly address: string };

/** Raises REMOTE_URL_INVALID, CONFIG_INVALID or REMOTE_DENIED (no credentials). Asks nothing of the store itself yet. */
export async function openBucket(url: string, options: BucketOptions): Promise<Bucket> {
  const now = options.now ?? Date.now;
  const at = parseBucketUrl(url, options); // A wrong address is told before credentials are looked for.
  if (at.kind === 'folder') {
    if (options.absent === 'made') await makeFolder(at.path);
    if (options.absent === 'empty' && !existsSync(at.path) && existsSync(dirname(at.path)))
      return new MemoryBucket({ url: at.path, now });
    return new FolderBucket(at.path, { now });
  }
  // Loaded only where it is used: signing, XML and TLS cost every start otherwise.
  const [{ readAwsSettings }, { S3Bucket }] = await Promise.all([
    import('./aws-settings.ts'),
    import('./s3-bucket.ts'),
  ]);
  const settings = await readAwsSettings({
    env: options.env ?? {},
    home: options.home,
    profile: options.profile,
  });
  const place = s3Place(at.address, {
    endpoint: options.endpoint ?? settings.endpoint,
    region: options.region ?? settings.region,
    pathStyle: options.pathStyle ?? settings.pathStyle,
  });
  const { credentials, source } = settings;
  return new S3Bucket(place, { credentials, source, now, silenceMs: options.silenceMs });
}

/** What kind of remote a URL names, and where; checks how it is to be reached, touches nothing. Raises REMOTE_URL_INVALID. */
export function parseBucketUrl(
  url: string,
  { cwd, home, ...how }: Pick<BucketOptions, 'cwd' | 'home' | 'endpoint' | 'region' | 'pathStyle'>,
): BucketAddress {
  const refuse = (why: string, hint?: string) =>
    new ArtError(
      'REMOTE_URL_INVALID',
      `${JSON.stringify(shown(url))} ${why}`,
      hint === undefined ? {} : { hint },
    );
  if (url === '' || url.includes('\0')) throw refuse('is no address of a remote');
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(url)?.[1].toLowerCase();
  if (scheme === undefined) {
    if (/^s3:/i.test(url))
      throw refuse('is no address of a remote', 'Write s3://BUCKET/PREFIX, with two slashes.');
    if (/^[^/\s]+@[^/\s]+:/.test(url))
      throw refuse('is a path on another machine', 'Mount it and give that folder, or s3://BUCKET/PREFIX.');
    const path = home !== undefined && /^~(\/|$)/.test(url) ? join(home, url.slice(1)) : url;
    return { kind: 'folder', path: isAbsolute(path) ? resolve(path) : resolve(cwd, path) };
  }
  const rest = url.slice(scheme.length + 3);
  if (/^[^/]*@/.test(rest)) {
    throw refuse(
      'holds a user name or password',
      'Credentials belong in the environment or in an AWS profile: art.toml is read by everybody.',
    );
  }
  if (scheme === 's3') {
    s3Place(rest, how);
    return { kind: 's3', address: rest };
  }
  if (scheme === 'file') return { kind: 'folder', path: fileUrlPath(url, refuse) };
  throw refuse(
    `has the scheme ${scheme}://, which art cannot reach`,
    'Give a folder, or s3://BUCKET/PREFIX.',
  );
}

function fileUrlPath(url: string, refuse: (why: string, hint?: string) => ArtError): string {
  try {
    const parsed = new URL(url);
    if (parsed.search === '' && parsed.hash === '') return resolve(fileURLToPath(parsed));
  } catch {
    // Told below.
  }
  throw refuse('names no folder of this machine', 'Write file:///ABSOLUTE/PATH, or the plain path.');
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
    syncFolder(dirname(path)); // All that is pushed would go with its name.
  } catch (error) {
    // A parent that is missing is a typing error, or a share that is not mounted.
    if (errnoOf(error) !== 'EEXIST' && errnoOf(error) !== 'ENOENT') throw fileError(error, path);
  }
}

// A password is not to be shown, not even in the message that refuses it.
function shown(url: string): string {
  return url.replace(/^([A-Za-z][A-Za-z0-9+.-]*:\/\/)[^/@]*@/, '$1***@');
}
