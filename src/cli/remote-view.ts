/** Opens a remote for reading alone, for the commands that take `--from`. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ArtError, Closing, isArtError } from '#base';
import type { RemoteAddress } from '#repo';
import type { RemoteView } from '#sync';
import type { Invocation, Options } from './command.ts';
import { REACH_OPTIONS, openRemote, reachOf } from './remote-words.ts';

export const FROM_OPTIONS = {
  from: {
    kind: 'text',
    value: 'URL',
    given: 'once',
    describe: 'Read it straight out of the remote at URL, or of that name; nothing is kept',
  },
  ...REACH_OPTIONS,
} as const;

type FromValues = Parameters<typeof reachOf>[0] & { readonly from: string | undefined };

type View = Pick<RemoteView, 'cat' | 'download'> & AsyncDisposable;

/** Raises USAGE for options that say how to reach what no --from names. */
export function refuseReach(options: FromValues): void {
  if (options.from !== undefined || Object.keys(reachOf(options)).length === 0) return;
  throw new ArtError('USAGE', '--endpoint, --region, --path-style and --profile belong to --from');
}

/** The remote that `from` names, where the working folder lies in a repository that has it; else what is at that path or URL. */
async function addressFrom(
  folder: string,
  from: string,
  options: FromValues,
): Promise<{ readonly root: string; readonly address: RemoteAddress }> {
  const { findRepository, listRemotes } = await import('#repo');
  const reach = reachOf(options);
  try {
    const layout = findRepository(folder);
    const remote = listRemotes(layout).find(({ name }) => name === from);
    if (remote !== undefined) return { root: layout.root, address: { ...remote, ...reach } };
  } catch (error) {
    if (!isArtError(error, 'REPOSITORY_NOT_FOUND')) throw error;
  }
  return { root: folder, address: { url: from, ...reach } };
}

/** What `from` names; the options say how to reach it. */
export async function viewRemote(
  { folder, env, now, setting }: Pick<Invocation<Options>, 'folder' | 'env' | 'now' | 'setting'>,
  from: string,
  options: FromValues,
): Promise<View> {
  const { RemoteView: View } = await import('#sync');
  const closing = new Closing();
  try {
    const { root, address } = await addressFrom(folder, from, options);
    const bucket = await openRemote(root, address, { env, now });
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
