/** `art clone`: makes a repository of what a remote has. */
import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { ArtError } from '#base';
import { defineCommand } from '../command.ts';
import { ADDRESS_OPTIONS, addressOf, openRemote, syncAndTell } from '../remote-words.ts';
import { printable } from '../text.ts';

const REMOTE = 'origin';

export const cloneCommand = defineCommand({
  usage: [
    'clone URL [DIR] [--endpoint URL] [--region R] [--path-style] [--profile P] [--local] [--nested] [--lazy]',
  ],
  summary: 'Make a repository of what a remote has',
  words: [1, 2],
  options: {
    ...ADDRESS_OPTIONS,
    lazy: { kind: 'switch', describe: 'Leave bytes there until they are needed' },
    nested: { kind: 'switch', describe: 'Make it even inside another repository' },
  },
  examples: [
    ['art clone /mnt/share/art work', 'what is in a shared folder, into the new folder work'],
    ['art clone /mnt/share/art --lazy', 'history only; checkout, cat and diff bring what they read'],
    ['art clone s3://bucket/prefix', 'into a folder called prefix'],
  ],
  stopped: 'stopped; run it again in the same place, and what was fetched is not fetched again',
  async run({ words, options, out, folder, now, env, open }) {
    const [{ pull, requireFormat }, { initRepository }] = await Promise.all([
      import('#sync'),
      import('#repo'),
    ]);
    const [given, dir] = words;
    const root = resolve(folder, dir ?? folderFor(given));
    const url = isFolder(given) ? resolve(folder, given) : given;
    const address = { name: REMOTE, url, ...addressOf(options) };
    const resumed = existsSync(join(root, '.art'));
    {
      // Before anything is made here: is there something to clone?
      await using bucket = await openRemote(folder, address, { env, now });
      await requireFormat(bucket, { writing: false });
    }
    if (!resumed) await initRepository(root, { nested: options.nested, onWarning: (text) => out.warn(text) });
    const cloned = async () => {
      await using repository = await open({ signed: true, at: root });
      if (!resumed) repository.addRemote(address);
      else if (!repository.remotes().some((remote) => remote.name === REMOTE && remote.url === url)) {
        throw new ArtError('REPOSITORY_EXISTS', `${JSON.stringify(root)} is a repository already`);
      }
      await using bucket = await openRemote(root, repository.remote(REMOTE), { env, now });
      return await pull(repository, { remote: REMOTE, bucket, ...(options.lazy && { lazy: true }) });
    };
    const nothing = resumed
      ? 'nothing to clone: everything is here already, from'
      : 'cloned; there are no versions yet at';
    const verb = `cloned into ${printable(root)} from`;
    await syncAndTell(cloned, out, { verb, nothing });
  },
});

function isFolder(url: string): boolean {
  return !/^[A-Za-z][A-Za-z0-9+.-]+:/.test(url) && !/^~(\/|$)/.test(url);
}

function folderFor(url: string): string {
  const name = basename(url.replace(/[/\\]+$/, ''));
  if (name !== '' && name !== '.' && name !== '..' && !name.includes(':')) return name;
  throw new ArtError('USAGE', `${JSON.stringify(url)} does not say what to call the folder`, {
    hint: 'Name one: `art clone URL DIR`.',
  });
}
