/** `art delete`: deletes versions. */
import { formatBytes, formatCount } from '#base';
import type { DeleteResult } from '#repo';
import { defineCommand } from '../command.ts';

const NAMED_MAX = 10;

export const deleteCommand = defineCommand({
  usage: [
    'delete SPEC... [--force] [--dry-run]',
    'delete NAME --all [--force] [--dry-run]',
    "delete 'NAME:v3..v40' [--except-aliased] [--force] [--dry-run]",
  ],
  summary: 'Delete versions',
  words: [1, Infinity],
  options: {
    all: { kind: 'switch', describe: 'The whole artifact' },
    'except-aliased': { kind: 'switch', describe: 'Leave versions that have an alias other than latest' },
    force: { kind: 'switch', describe: 'Delete versions that have an alias other than latest, too' },
    'dry-run': { kind: 'switch', describe: 'Only say what would be deleted' },
  },
  examples: [
    ['art delete cifar:v3 cifar:v5', 'two versions; their numbers are never used again'],
    ["art delete 'cifar:v0..v40' --except-aliased", 'old ones, but for those with an alias'],
    ['art delete cifar --all --dry-run', 'how much would it free?'],
  ],
  async run({ words, options, out, open }) {
    const dryRun = options['dry-run'];
    let result: DeleteResult;
    {
      await using repository = await open({ signed: true });
      result = await repository.delete({
        targets: words,
        all: options.all,
        exceptAliased: options['except-aliased'],
        force: options.force,
        dryRun,
      });
    }
    if (out.json) return out.document(result);
    const { deleted, freeable, undo } = result;
    if (deleted.length === 0) return out.say('nothing to delete: each of these versions has an alias');
    out.say(`${dryRun ? 'would delete' : 'deleted'} ${named(deleted)}`);
    if (dryRun) return out.say(`art gc would free ${formatBytes(freeable)} once undo needs them no more`);
    out.say(`to take it back: ${undo}`);
    out.note(`art gc frees ${formatBytes(freeable)} once undo needs them no more`);
  },
});

function named(deleted: readonly string[]): string {
  const more = deleted.length - NAMED_MAX;
  const shown = deleted.slice(0, NAMED_MAX).join(', ');
  return more > 0 ? `${shown} and ${formatCount(more)} more` : shown;
}
