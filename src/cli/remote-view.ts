/** Opens a remote for reading alone, for the commands that take `--from`. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Closing } from '#base';
import type { RemoteView } from '#sync';
import type { Invocation, Options } from './command.ts';
import { openRemote } from './remote-words.ts';

export const FROM_OPTION = {
  kind: 'text',
  value: 'URL',
  given: 'once',
  describe: 'Read it straight out of the remote at URL; nothing is kept',
} as const;

type View = Pick<RemoteView, 'cat' | 'download'> & AsyncDisposable;

/** What is at `url`: a path relative to the working folder, or a URL. */
export async function viewRemote(
  { folder, env, now, setting }: Pick<Invocation<Options>, 'folder' | 'env' | 'now' | 'setting'>,
  url: string,
): Promise<View> {
  const { RemoteView: View } = await import('#sync');
  const closing = new Closing();
  try {
    const bucket = await openRemote(folder, { url }, { env, now });
    closing.defer(() => bucket[Symbol.asyncDispose]());
    const scratch = mkdtempSync(join(tmpdir(), 'art-'));
    closing.defer(() => rmSync(scratch, { recursive: true, force: true }));
    const view = await View.open(bucket, setting(), scratch);
    return {
      cat: (...args) => view.cat(...args),
      download: (request) => view.download(request),
      [Symbol.asyncDispose]: () => closing[Symbol.asyncDispose](),
    };
  } catch (error) {
    await closing[Symbol.asyncDispose]();
    throw error;
  }
}
