/** `art du`: shows what versions take, alone and shared. */
import { formatBytes, formatCount } from '#base';
import type { DuResult } from '#repo';
import { defineCommand } from '../command.ts';
import { alignRows } from '../text.ts';

/** Rows that are aligned with each other, and written together. */
const PAGE_ROWS = 500;

export const duCommand = defineCommand({
  usage: ['du [NAME]'],
  summary: 'Show what versions take, alone and shared',
  words: [0, 1],
  options: {},
  examples: [
    ['art du', 'every version of every artifact'],
    ['art du cifar', 'which versions of one would free most?'],
    ['art du --json', 'in bytes, for a script'],
  ],
  async run({ words, out, open }) {
    const { rows, stored } = await measured();
    if (out.json) return await out.array([rows]);
    if (rows.length === 0) out.note('no version');
    const head = ['version', 'alone', 'shared', 'on disk'].map((text) => out.style('dim', text));
    for (let from = 0; from < rows.length; from += PAGE_ROWS) {
      const cells = rows
        .slice(from, from + PAGE_ROWS)
        .map((row) => [
          out.style('bold', `${row.name}:${row.version}`),
          formatBytes(row.alone),
          formatBytes(row.shared),
          formatBytes(row.stored),
        ]);
      for (const line of alignRows(from === 0 ? [head, ...cells] : cells, [1, 2, 3])) await out.line(line);
    }
    if (rows.length > 0)
      out.say(`${formatCount(rows.length, 'version')}, ${formatBytes(stored)} on disk together`);

    async function measured(): Promise<DuResult> {
      await using repository = await open();
      return await repository.du(words[0]);
    }
  },
});
