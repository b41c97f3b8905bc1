/** `art diff`: shows what differs between two versions, or between a version and its folder. */
import { formatBytes, formatCount } from '#base';
import type { Comparison, DiffChange, DiffRow } from '#repo';
import { defineCommand } from '../command.ts';
import { CHANGE_STYLES, changeLine, contentLines } from '../diff-text.ts';
import type { Output } from '../output.ts';
import { alignRows, printable } from '../text.ts';

export const diffCommand = defineCommand({
  usage: ['diff SPEC [SPEC] [--path P]... [--stat] [--exit-code]'],
  summary: 'Show what differs between versions, or a version and its folder',
  words: [1, 2],
  options: {
    path: {
      kind: 'text',
      value: 'P',
      given: 'list',
      describe: 'Only paths that begin with P; `train/` is that folder',
    },
    stat: { kind: 'switch', describe: 'Only how much changed, in all' },
    'exit-code': { kind: 'switch', describe: 'End with status 1 if anything differs' },
  },
  examples: [
    ['art diff cifar', 'the latest version and the folder it is checked out in'],
    ['art diff cifar:v3 cifar:best', 'two versions; on a terminal line by line'],
    ['art diff cifar~1 cifar --path train/ --stat', 'how much changed in one folder'],
    ['art diff cifar:v3 cifar --json', 'every changed path, for a script'],
  ],
  async run({ words, options, out, open, page }) {
    await using repository = await open();
    using comparison = await repository.diff({
      before: words[0],
      ...(words[1] !== undefined && { after: words[1] }),
      paths: options.path,
    });
    const totals = new Totals();
    const batches = counted(comparison.changes(), totals);
    await out.whileRead(async () => {
      if (out.json) return await out.array(rowsOf(batches));
      if (options.stat) {
        for await (const _ of batches);
        return await tellTotals(comparison, totals, out, { isPart: options.path.length > 0 });
      }
      if (out.isTerminal) page();
      await tellChanges(comparison, batches, out);
      tellSum(comparison, totals, out);
    });
    for (const path of await comparison.unmatched())
      out.warn(`nothing begins with ${JSON.stringify(path)} on either side`);
    if (comparison.renamesBounded)
      out.warn('more was removed than renames are looked for among: some are shown as removed and added');
    return options['exit-code'] && totals.count > 0 ? 1 : 0;
  },
});

/** Counts changes and bytes by kind of change. */
class Totals {
  readonly counts = { added: 0, modified: 0, removed: 0, renamed: 0 };
  readonly before = { added: 0, modified: 0, removed: 0, renamed: 0 };
  readonly after = { added: 0, modified: 0, removed: 0, renamed: 0 };

  add({ change, sizeBefore, sizeAfter }: DiffRow): void {
    this.counts[change]++;
    this.before[change] += sizeBefore ?? 0;
    this.after[change] += sizeAfter ?? 0;
  }

  get count(): number {
    const { added, modified, removed, renamed } = this.counts;
    return added + modified + removed + renamed;
  }

  /** By how many bytes it grew. */
  get growth(): number {
    const sum = (sizes: Readonly<Record<DiffRow['change'], number>>) =>
      sizes.added + sizes.modified + sizes.removed + sizes.renamed;
    return sum(this.after) - sum(this.before);
  }
}

async function* counted(
  batches: AsyncIterable<readonly DiffChange[]>,
  totals: Totals,
): AsyncGenerator<readonly DiffChange[]> {
  for await (const batch of batches) {
    for (const row of batch) totals.add(row);
    yield batch;
  }
}

async function* rowsOf(batches: AsyncIterable<readonly DiffChange[]>): AsyncGenerator<readonly DiffRow[]> {
  for await (const batch of batches) {
    yield batch.map(({ path, change, from, sizeBefore, sizeAfter }) => ({
      path,
      change,
      from,
      sizeBefore,
      sizeAfter,
    }));
  }
}

async function tellChanges(
  comparison: Comparison,
  batches: AsyncIterable<readonly DiffChange[]>,
  out: Output,
): Promise<void> {
  for await (const batch of batches) {
    for (const change of batch) {
      const wait = out.line(changeLine(change, out));
      if (wait !== undefined) await wait;
      if (!out.isTerminal) continue;
      for (const line of contentLines(await comparison.content(change), out)) {
        const waitLine = out.line(line);
        if (waitLine !== undefined) await waitLine;
      }
    }
  }
}

function tellSum(comparison: Comparison, totals: Totals, out: Output): void {
  const { before, after } = comparison;
  if (totals.count === 0) {
    out.say(`nothing differs between ${printable(before.label)} and ${printable(after.label)}`);
    return;
  }
  const { counts } = totals;
  const parts = (['added', 'modified', 'removed', 'renamed'] as const)
    .filter((change) => counts[change] > 0)
    .map((change) => `${formatCount(counts[change])} ${change}`);
  out.say(out.style('dim', `${parts.join(', ')}; ${growthText(totals.growth)}`));
}

async function tellTotals(
  comparison: Comparison,
  totals: Totals,
  out: Output,
  { isPart }: { readonly isPart: boolean },
): Promise<void> {
  const { before, after } = comparison;
  await out.line(out.style('bold', `${printable(before.label)} → ${printable(after.label)}`));
  const rows = (['added', 'modified', 'removed', 'renamed'] as const)
    .filter((change) => totals.counts[change] > 0)
    .map((change) => {
      const [old, now] = [totals.before[change], totals.after[change]];
      const size =
        change === 'modified'
          ? `${formatBytes(old)} → ${formatBytes(now)}`
          : formatBytes(change === 'removed' ? old : now);
      return [
        `  ${out.style(CHANGE_STYLES[change], change)}`,
        formatCount(totals.counts[change], 'path'),
        size,
      ];
    });
  for (const line of alignRows(rows)) await out.line(line);
  if (isPart || before.bytes === null) return out.line(`  ${growthText(totals.growth)}`);
  const bytesAfter = after.bytes ?? before.bytes + totals.growth;
  await out.line(
    totals.count === 0
      ? `  nothing differs; ${formatBytes(bytesAfter)}`
      : `  ${formatBytes(before.bytes)} → ${formatBytes(bytesAfter)} in all`,
  );
}

function growthText(bytes: number): string {
  if (bytes === 0) return 'no change in size';
  return bytes > 0 ? `${formatBytes(bytes)} more` : `${formatBytes(-bytes)} less`;
}
