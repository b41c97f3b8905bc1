/** `art push`: sends what a remote lacks. */
import { defineCommand } from '../command.ts';
import { syncAndTell, withRemote } from '../remote-words.ts';

export const pushCommand = defineCommand({
  usage: ['push [REMOTE] [NAME...] [--dry-run]'],
  summary: 'Send versions that a remote lacks',
  words: [0, Infinity],
  options: {
    'dry-run': { kind: 'switch', describe: 'Only say what would be sent, by what was last seen there' },
  },
  examples: [
    ['art push', 'everything, to origin or the only remote'],
    ['art push lab cifar', 'one artifact, to the remote called lab'],
    ['art push --dry-run', 'how much would it be?'],
  ],
  stopped: 'stopped; what was sent is not sent again, and no version there changed by half',
  async run({ words, options, out, now, env, open }) {
    const { push } = await import('#sync');
    const dryRun = options['dry-run'];
    const pushed = async () => {
      await using repository = await open({ signed: true });
      const absent = dryRun ? 'empty' : 'made';
      return await withRemote(repository, words, { env, now, absent }, (...[opened, request]) =>
        push(opened, { ...request, dryRun }),
      );
    };
    const verb = dryRun ? 'would push to' : 'pushed to';
    await syncAndTell(pushed, out, {
      verb,
      by: 'push',
      dryRun,
      nothing: 'nothing to push: everything is at',
    });
  },
});
