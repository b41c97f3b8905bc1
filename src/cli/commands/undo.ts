/** `art undo`: takes an operation back. */
import { ArtError, formatAge } from '#base';
import type { UndoResult } from '#repo';
import { defineCommand } from '../command.ts';
import { firstLine, printable } from '../text.ts';

const COMMAND_LENGTH_MAX = 60;

export const undoCommand = defineCommand({
  usage: ['undo [OP] [--dry-run]'],
  summary: 'Take an operation back',
  words: [0, 1],
  options: {
    'dry-run': { kind: 'switch', describe: 'Only say what would be taken back' },
  },
  examples: [
    ['art undo', 'your newest operation; once more: the one before'],
    ['art undo 12', 'one operation of `art ops`; what came later stays'],
    ['art undo 13', 'where 13 was an undo: it is done again'],
    ['art undo --dry-run', 'what would be taken back?'],
  ],
  async run({ words, options, out, now, open }) {
    const dryRun = options['dry-run'];
    const operation = words.length === 0 ? undefined : operationOf(words[0]);
    let result: UndoResult;
    {
      await using repository = await open({ signed: true });
      result = await repository.undo({ dryRun, ...(operation !== undefined && { operation }) });
    }
    if (out.json) return out.document(result);
    const { undone, command, time } = result;
    const age = formatAge(Date.parse(time), now());
    out.say(
      `${dryRun ? 'would take back' : 'took back'} operation ${undone}: ${firstLine(command, COMMAND_LENGTH_MAX)} (${age})`,
    );
    for (const change of result.changes) out.say(`  ${printable(change)}`);
    if (result.redo !== null) out.note(`to do it again: ${result.redo}`);
  },
});

function operationOf(word: string): number {
  const number = Number(word);
  if (/^\d{1,12}$/.test(word)) return number;
  throw new ArtError('USAGE', `an operation is a number, not ${JSON.stringify(word)}`, {
    hint: '`art ops` lists them.',
  });
}
