/** `art pull`: brings what a remote has, and merges it. */
import { ArtError } from '#base';
import { defineCommand } from '../command.ts';
import { syncAndTell, withRemote } from '../remote-words.ts';

export const pullCommand = defineCommand({
  usage: ['pull [REMOTE] [NAME...] [--lazy|--no-lazy] [--dry-run]'],
  summary: 'Bring what a remote has, and merge it',
  words: [0, Infinity],
  options: {
    lazy: { kind: 'switch', describe: 'Leave bytes there until they are needed, now and later' },
    'no-lazy': { kind: 'switch', describe: 'Bring all bytes, those left there before too' },
    'dry-run': { kind: 'switch', describe: 'Only say whether there is something' },
  },
  examples: [
    ['art pull', 'everything at origin or the only remote; no folder changes'],
    ['art pull && art checkout cifar', 'and make the bound folder hold the newest version'],
    ['art pull --lazy', 'history only; checkout, cat and diff bring what they read'],
    ['art pull lab cifar', 'one artifact, from the remote called lab'],
  ],
  stopped: 'stopped; what was fetched is not fetched again, and no artifact changed',
  async run({ words, options, out, now, env, open }) {
    const { pull } = await import('#sync');
    const dryRun = options['dry-run'];
    if (options.lazy && options['no-lazy'])
      throw new ArtError('USAGE', '--lazy and --no-lazy exclude each other');
    const lazy = options.lazy ? true : options['no-lazy'] ? false : undefined;
    const pulled = async () => {
      await using repository = await open({ signed: true });
      return await withRemote(repository, words, { env, now }, (opened, request) =>
        pull(opened, { ...request, dryRun, ...(lazy !== undefined && { lazy }) }),
      );
    };
    const verb = dryRun ? 'would pull from' : 'pulled from';
    await syncAndTell(pulled, out, { verb, by: 'pull', dryRun, nothing: 'up to date with' });
  },
});
