/** `art gc`: frees what nothing needs any more, here or at a remote. */
import { ArtError, formatBytes, formatCount } from '#base';
import { defineCommand } from '../command.ts';
import { runRemoteGc } from '../remote-gc.ts';
import { openRemote } from '../remote-words.ts';
import { printable } from '../text.ts';

export const gcCommand = defineCommand({
  usage: [
    'gc [--dry-run] [--undo-window DAYS] [--explain]',
    'gc --also-at REMOTE [--dry-run] [--undo-window DAYS] [--explain]',
    'gc --remote NAME [--dry-run] [--min-age HOURS] [--grace HOURS]',
  ],
  summary: 'Free what nothing needs any more',
  words: [0, 0],
  options: {
    'dry-run': { kind: 'switch', describe: 'Only say what would be freed' },
    'undo-window': {
      kind: 'number',
      value: 'DAYS',
      describe: 'Keep what an undo of the last DAYS days needs (default: 30)',
    },
    explain: { kind: 'switch', describe: 'Say why the rest is kept' },
    'also-at': {
      kind: 'text',
      value: 'REMOTE',
      given: 'once',
      describe: 'Free bytes that REMOTE has too, read there first; they come back when they are read',
    },
    remote: {
      kind: 'text',
      value: 'NAME',
      given: 'once',
      describe: 'Free it at this remote: condemn now, delete when the grace is over; safe beside pushes',
    },
    'min-age': {
      kind: 'number',
      value: 'HOURS',
      describe: 'At a remote, leave alone what was sent in the last HOURS hours (default: 24)',
    },
    grace: {
      kind: 'number',
      value: 'HOURS',
      describe: 'At a remote, keep what is condemned for those still reading it (default: 24; 0 deletes now)',
    },
  },
  examples: [
    ['art gc --dry-run', 'how much would it free? without --dry-run it does'],
    ['art gc --also-at origin', 'keep here only history and what origin lacks'],
    ['art gc --remote origin', 'do what is due at a remote; once a day, say, from cron'],
    ['art gc --remote origin --min-age 0 --grace 0', 'all at once, while nobody else uses it'],
  ],
  stopped: 'stopped; what was freed is freed, the rest is as it was',
  async run({ options, out, now, env, open }) {
    const {
      'also-at': elsewhere,
      remote,
      'undo-window': days,
      'min-age': minAge,
      grace,
      'dry-run': dryRun,
    } = options;
    if (elsewhere !== undefined && remote !== undefined)
      throw new ArtError('USAGE', '--also-at frees what is here, --remote what is there');
    if (remote !== undefined) {
      if (days !== undefined || options.explain)
        throw new ArtError('USAGE', '--undo-window and --explain are about what is here, not at a remote');
      return await runRemoteGc({ remote, dryRun, minAge, grace }, { out, now, env, open });
    }
    if (minAge !== undefined || grace !== undefined)
      throw new ArtError('USAGE', '--min-age and --grace are about a remote: name it with --remote');
    const result = await collected();
    if (out.json) return out.document(result);
    const verb = dryRun ? 'would free' : 'freed';
    out.say(
      `${verb} ${formatBytes(result.freed)}; ${formatBytes(result.kept)} kept in ${formatCount(result.packs, 'pack')}`,
    );
    if (options.explain) for (const reason of result.reasons) await out.line(`  ${printable(reason)}`);

    async function collected() {
      await using repository = await open();
      const request = {
        dryRun,
        explain: options.explain,
        ...(days !== undefined && { undoWindowDays: days }),
      };
      if (elsewhere === undefined) return await repository.gc(request);
      const { freeHere } = await import('#sync');
      await using bucket = await openRemote(repository.root, repository.remote(elsewhere), { env, now });
      return await freeHere(repository, { ...request, remote: elsewhere, bucket });
    }
  },
});
