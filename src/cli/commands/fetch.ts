/** `art fetch`: records what a remote has, and merges nothing. */
import { defineCommand } from '../command.ts';
import { syncAndTell, withRemote } from '../remote-words.ts';

export const fetchCommand = defineCommand({
  usage: ['fetch [REMOTE] [NAME...] [--dry-run]'],
  summary: 'Bring what a remote has, and merge nothing',
  words: [0, Infinity],
  options: {
    'dry-run': { kind: 'switch', describe: 'Only say whether there is something' },
  },
  examples: [
    ['art fetch', 'what is at origin?'],
    ['art fetch lab cifar', 'one artifact, from the remote called lab; then `art ls cifar:lab/latest`'],
  ],
  stopped: 'stopped; what was fetched is not fetched again',
  async run({ words, options, out, now, env, open }) {
    const { fetch } = await import('#sync');
    const dryRun = options['dry-run'];
    const fetched = async () => {
      await using repository = await open();
      return await withRemote(repository, words, { env, now }, (opened, request) =>
        fetch(opened, { ...request, dryRun }),
      );
    };
    const verb = dryRun ? 'would fetch from' : 'fetched from';
    await syncAndTell(fetched, out, { verb, by: 'pull', dryRun, nothing: 'nothing new at' });
  },
});
