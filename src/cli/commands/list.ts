/** `art list`: lists artifacts. */
import { formatAge, formatBytes, formatCount, suggest } from '#base';
import type { ListRow, Repository } from '#repo';
import { defineCommand } from '../command.ts';
import { alignRows, firstLine, printable } from '../text.ts';

const ROWS_DEFAULT = 100;
const DESCRIPTION_LENGTH_MAX = 60;

export const listCommand = defineCommand({
  usage: ['list [--type T] [--tag T] [--limit N]'],
  summary: 'List artifacts',
  words: [0, 0],
  options: {
    type: { kind: 'text', value: 'T', given: 'once', describe: 'Only those of this type' },
    tag: { kind: 'text', value: 'T', given: 'once', describe: 'Only those with this tag' },
    limit: {
      kind: 'number',
      value: 'N',
      describe: `At most N of them (default: ${ROWS_DEFAULT}, with --json all)`,
    },
  },
  examples: [
    ['art list', 'every artifact'],
    ['art list --type model', 'the models'],
    ['art list --json', 'for a script'],
  ],
  async run({ options, out, now, open }) {
    const { type, tag } = options;
    const limit = options.limit ?? (out.json ? Infinity : ROWS_DEFAULT);
    const rows: ListRow[] = [];
    let meant: string | undefined;
    {
      await using repository = await open();
      const filter = { ...(type !== undefined && { type }), ...(tag !== undefined && { tag }) };
      // One more than is shown tells whether there are more.
      rows.push(...(await repository.list({ ...filter, limit: limit + 1 })));
      if (rows.length === 0) meant = await noneText(repository, filter);
    }
    const shown = rows.slice(0, limit);
    if (out.json) return out.array([shown]);
    if (shown.length === 0 && limit > 0) out.note(meant ?? 'no artifact');
    for (const line of alignRows(
      shown.map((row) => cells(row, now())),
      [3],
    ))
      await out.line(line);
    if (rows.length > limit) out.note(`${formatCount(limit)} shown; --limit shows more`);

    function cells(row: ListRow, nowMs: number): string[] {
      const { name, versions, latest, bytes, updated, description, tags } = row;
      return [
        out.style('bold', `${name}:${latest}`),
        row.type,
        formatCount(versions, 'version'),
        formatBytes(bytes),
        formatAge(Date.parse(updated), nowMs),
        [...tags.map((one) => `#${one}`), firstLine(description ?? '', DESCRIPTION_LENGTH_MAX)]
          .join(' ')
          .trim(),
      ];
    }
  },
});

/** What to say where a filter leaves nothing over: perhaps it was mistyped. */
async function noneText(
  { vocabulary }: Repository,
  { type, tag }: { readonly type?: string; readonly tag?: string },
): Promise<string> {
  if (type !== undefined) return text(`of type "${type}"`, type, await vocabulary.types());
  if (tag !== undefined) return text(`with the tag "${tag}"`, tag, await vocabulary.tags());
  return 'no artifact yet: `art commit NAME PATH` makes the first';

  function text(what: string, word: string, known: readonly string[]): string {
    const meant = suggest(word, known);
    const guess = meant === undefined || meant === word ? '' : `; did you mean "${meant}"?`;
    return `no artifact ${printable(what)}${guess}`;
  }
}
