/** `art clone`: makes a repository of what a remote has. */
import { existsSync } from 'node:fs';
import { basename, join, resolve, sep } from 'node:path';
import { ArtError, realPath } from '#base';
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
    const [{ parseBucketUrl, pull, requireFormat }, { initRepository }] = await Promise.all([
      import('#sync'),
      import('#repo'),
    ]);
    const [given, dir] = words;
    const root = resolve(folder, dir ?? folderFor(given));
    const url = isFolder(given) ? resolve(folder, given) : given;
    const place = parseBucketUrl(url, { cwd: folder, home: env['HOME'] });
    if (place.kind === 'folder' && `${realPath(root)}${sep}`.startsWith(`${realPath(place.path)}${sep}`))
      throw new ArtError('USAGE', `${JSON.stringify(root)} is, or lies in, the remote itself`, {
        hint: 'Name a folder for the clone: `art clone URL DIR`.',
      });
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
      const known = repository.remotes().find((remote) => remote.name === REMOTE);
      if (resumed && known?.url !== url)
        throw new ArtError('REPOSITORY_EXISTS', `${JSON.stringify(root)} is a repository already`);
      if (known === undefined) repository.addRemote(address);
      // A clone of Git may have brought an art.toml that names it already.
      else if (known.url !== url && !(isFolder(known.url) && resolve(root, known.url) === url))
        throw new ArtError('REMOTE_EXISTS', `art.toml there says that ${REMOTE} is ${known.url}`, {
          hint: 'It is a repository now: `art pull` brings what that remote has.',
        });
      await using bucket = await openRemote(root, repository.remote(REMOTE), { env, now });
      return await pull(repository, { remote: REMOTE, bucket, ...(options.lazy && { lazy: true }) });
    };
    const nothing = resumed
      ? 'nothing to clone: everything is here already, from'
      : 'cloned; there are no versions yet at';
    const verb = `cloned into ${printable(root)} from`;
    await syncAndTell(cloned, out, { by: 'pull', verb, nothing });
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
