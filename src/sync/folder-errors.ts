/** Tells what a failure of the file system under a folder bucket means for a remote. */
import { ArtError, errnoOf } from '#base';

const DENIED = new Set(['EACCES', 'EPERM', 'EROFS']);
const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
/** A network share that does not answer; whether it did what it was asked is not known. */
const SILENT = new Set([
  'EIO',
  'ESTALE',
  'ETIMEDOUT',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'ENOTCONN',
  'ENETDOWN',
  'ENXIO',
]);

/** Tells whether a failed step may have been carried out all the same. */
export function isSilence(error: unknown): boolean {
  return SILENT.has(errnoOf(error) ?? '');
}

/** The operating error that `error`, met while `doing` something in the folder `url`, stands for. */
export function folderError(error: unknown, url: string, doing: string): unknown {
  const errno = errnoOf(error);
  if (error instanceof ArtError || errno === undefined) return error;
  const where = `${doing} in the folder ${JSON.stringify(url)}`;
  if (FULL.has(errno))
    return new ArtError('DISK_FULL', `no space left: ${where} (${errno})`, { cause: error });
  if (DENIED.has(errno)) {
    const hint = 'Check owner and permissions of the folder, and whether it is mounted read-only.';
    return new ArtError('REMOTE_DENIED', `not permitted: ${where} (${errno})`, { cause: error, hint });
  }
  if (isSilence(error)) {
    const hint = 'Check that the disk or share is there, then run the command again.';
    return new ArtError('REMOTE_UNREACHABLE', `no answer: ${where} (${errno})`, { cause: error, hint });
  }
  return new ArtError('REMOTE_FAILED', `cannot go on ${where}: ${(error as Error).message}`, {
    cause: error,
  });
}

/** Raised where the bucket's folder itself is not there: a typing error, or a share that is not mounted. */
export function folderMissing(url: string, cause?: unknown): ArtError {
  return new ArtError('BUCKET_NOT_FOUND', `the folder ${JSON.stringify(url)} does not exist`, {
    cause,
    hint: 'Check the path and that the disk or share is mounted. A first push makes the folder, and none above it.',
  });
}
