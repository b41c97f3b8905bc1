/** `art pull`: brings what a remote has, and merges it. */
import { defineCommand } from '../command.ts';
import { tellSync, withRemote } from '../remote-words.ts';

export const pullCommand = defineCommand({
  usage: ['pull [REMOTE] [NAME...] [--dry-run]'],
  summary: 'Bring what a remote has, and merge it',
  words: [0, Infinity],
  options: {
    'dry-run': { kind: 'switch', describe: 'Only say whether there is something' },
  },
  examples: [
    ['art pull', 'everything at origin or the only remote; no folder changes'],
    ['art pull && art checkout cifar', 'and make the bound folder hold the newest version'],
    ['art pull lab cifar', 'one artifact, from the remote called lab'],
  ],
  stopped: 'stopped; what was fetched is not fetched again, and no artifact changed',
  async run({ words, options, out, now, env, open }) {
    const { pull } = await import('#sync');
    const dryRun = options['dry-run'];
    const pulled = async () => {
      await using repository = await open({ signed: true });
      return await withRemote(repository, words, { env, now }, (opened, request) =>
        pull(opened, { ...request, dryRun }),
      );
    };
    const verb = dryRun ? 'would pull from' : 'pulled from';
    await tellSync(await pulled(), out, { verb, nothing: 'up to date with' });
  },
});
