/** `art ops`: lists operations, newest first. */
import { formatAge, formatCount } from '#base';
import type { OperationRow, Repository } from '#repo';
import { defineCommand } from '../command.ts';
import { alignRows, firstLine, personOf, printable } from '../text.ts';

const ROWS_DEFAULT = 20;
/** Rows that are aligned with each other, and written together. */
const PAGE_ROWS = 500;
const COMMAND_LENGTH_MAX = 60;

export const opsCommand = defineCommand({
  usage: ['ops [--limit N]'],
  summary: 'List operations',
  words: [0, 0],
  options: {
    limit: {
      kind: 'number',
      value: 'N',
      describe: `At most N operations (default: ${ROWS_DEFAULT}, with --json all)`,
    },
  },
  examples: [
    ['art ops', 'what was done last, and by whom'],
    ['art ops --limit 100', 'more of it'],
    ['art ops --json', 'all of it, for a script'],
  ],
  async run({ options, out, now, open }) {
    const limit = options.limit ?? (out.json ? Infinity : ROWS_DEFAULT);
    await using repository = await open();
    const rows = pages(repository, limit);
    if (out.json) return await out.array(rows);
    let left = limit;
    for await (const page of rows) {
      left -= page.length;
      for (const line of alignRows(page.map(cells), [0])) await out.line(line);
    }
    // Whoever set no limit may not know that there is one.
    if (left === 0 && options.limit === undefined)
      out.note(`the newest ${formatCount(limit)} are shown; --limit shows more`);

    function cells({ id, time, user, run, command, undone }: OperationRow): string[] {
      const said = firstLine(command, COMMAND_LENGTH_MAX);
      return [
        out.style('bold', String(id)),
        formatAge(Date.parse(time), now()),
        personOf(user),
        run === null ? '' : printable(`in ${run}`),
        undone ? out.style('dim', `${said} (undone)`) : said,
      ];
    }
  },
});

async function* pages(
  repository: Repository,
  limit: number,
): AsyncGenerator<readonly OperationRow[], void, undefined> {
  let page: OperationRow[] = [];
  let left = limit;
  if (left === 0) return;
  for await (const row of repository.ops()) {
    page.push(row);
    if (--left === 0) break;
    if (page.length < PAGE_ROWS) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}
