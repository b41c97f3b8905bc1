/** The public SDK of art: repositories, what they give back, remotes, and the errors they raise. */
import { openRepository as open } from '#repo';
import type { Repository, Setting } from '#repo';
import { openBucket, promiseKeeper } from '#sync';
import type { BucketOptions } from '#sync';

export * from '#repo';
export { RemoteView, fetch, openBucket, pull, push } from '#sync';
export type { Bucket, BucketOptions, DeletedVersions, MovedAlias, SyncRequest, SyncResult } from '#sync';
export { ArtError, ERRORS, isArtError } from '#base';
export type { ErrorCode } from '#base';

/**
 * Opens the repository that `setting.folder` lies in; `reaching` says how buckets are reached that have promised what is
 * not here. Raises REPOSITORY_NOT_FOUND, REPOSITORY_TOO_NEW.
 */
export function openRepository(
  setting: Setting,
  reaching: Pick<BucketOptions, 'env' | 'home'> = {},
): Promise<Repository> {
  const keeper = promiseKeeper(({ root, now }, { url, name: _, local: __, ...how }) =>
    openBucket(url, { cwd: root, now, ...reaching, ...how }),
  );
  return open(setting, keeper);
}
