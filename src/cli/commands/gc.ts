/** `art gc`: frees what nothing needs any more. */
import { formatBytes, formatCount } from '#base';
import { defineCommand } from '../command.ts';
import { printable } from '../text.ts';

export const gcCommand = defineCommand({
  usage: ['gc [--dry-run] [--undo-window DAYS] [--explain]'],
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
  },
  examples: [
    ['art gc --dry-run', 'how much would it free?'],
    ['art gc', 'free it'],
    ['art gc --explain', 'and say why the rest is kept'],
  ],
  stopped: 'stopped; what was freed is freed, the rest is as it was',
  async run({ options, out, open }) {
    const days = options['undo-window'];
    const result = await collected();
    if (out.json) return out.document(result);
    const verb = options['dry-run'] ? 'would free' : 'freed';
    out.say(
      `${verb} ${formatBytes(result.freed)}; ${formatBytes(result.kept)} kept in ${formatCount(result.packs, 'pack')}`,
    );
    if (options.explain) for (const reason of result.reasons) await out.line(`  ${printable(reason)}`);

    async function collected() {
      await using repository = await open();
      return await repository.gc({
        dryRun: options['dry-run'],
        explain: options.explain,
        ...(days !== undefined && { undoWindowDays: days }),
      });
    }
  },
});
