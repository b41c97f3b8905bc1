/** Opens files of a folder bucket, and reads them in pieces: plain files only, and nothing that a link leads to. */
import { constants } from 'node:fs';
import { ArtError, errnoOf, throwIfAborted } from '#base';
import type { Abortable, ByteRange } from './bucket.ts';
import type { FolderFs, OpenFile } from './folder-fs.ts';

export const PIECE_BYTES = 1024 * 1024;
const READ_ONLY = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** The file at `path`, or undefined if there is none. Raises REMOTE_FAILED for what is no plain file. */
export async function openFile(fs: FolderFs, path: string): Promise<OpenFile | undefined> {
  try {
    const handle = await fs.open(path, READ_ONLY);
    let isFile = false;
    try {
      isFile = (await handle.stat()).isFile();
    } finally {
      if (!isFile) await handle.close();
    }
    if (isFile) return handle;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    if (errnoOf(error) !== 'ELOOP' && errnoOf(error) !== 'ENXIO') throw error;
  }
  throw new ArtError('REMOTE_FAILED', `${JSON.stringify(path)} is no plain file, so it is not read`);
}

/** The bytes of `range`, in pieces that stay as they are until the next is asked for; `into` is filled, where it is large enough. */
export async function* readFile(
  handle: OpenFile,
  path: string,
  { offset, length }: ByteRange,
  { signal, into }: Abortable & { readonly into?: Uint8Array | undefined } = {},
): AsyncGenerator<Uint8Array> {
  const fills = into !== undefined && into.length >= length;
  const buffer = fills ? into : Buffer.allocUnsafeSlow(Math.min(PIECE_BYTES, length));
  for (let done = 0; done < length;) {
    throwIfAborted(signal);
    const at = fills ? done : 0;
    const most = Math.min(buffer.length - at, length - done);
    const { bytesRead } = await handle.read(buffer, at, most, offset + done);
    if (bytesRead === 0)
      throw new ArtError('REMOTE_FAILED', `${JSON.stringify(path)} became shorter while it was read`);
    done += bytesRead;
    yield buffer.subarray(at, at + bytesRead);
  }
}
