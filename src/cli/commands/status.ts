/** `art status`: compares bound folders with the versions they hold. */
import { formatCount } from '#base';
import type { StatusResult } from '#repo';
import { defineCommand } from '../command.ts';
import type { Output, Style } from '../output.ts';
import { tellStandings } from '../standing.ts';
import { alignRows, printable } from '../text.ts';

/** Of each list so many paths are shown to people. */
const PATHS_SHOWN_MAX = 20;

export const statusCommand = defineCommand({
  usage: ['status [NAME] [--exit-code]'],
  summary: 'Compare bound folders with the versions they hold',
  words: [0, 1],
  options: {
    'exit-code': { kind: 'switch', describe: 'End with status 1 if something changed' },
  },
  examples: [
    ['art status', 'every bound folder'],
    ['art status cifar --exit-code', 'one of them, for a script'],
    ['art status --json', 'with every changed path'],
  ],
  async run({ words, options, out, open }) {
    await using repository = await open();
    const results = await repository.status(words);
    await out.whileRead(async () => {
      if (out.json) return out.array([results]);
      await tell(results, out);
      await tellStandings(repository, out, words[0]);
    });
    return options['exit-code'] && results.some(({ clean }) => !clean) ? 1 : 0;
  },
});

async function tell(results: readonly StatusResult[], out: Output): Promise<void> {
  if (results.length === 0)
    out.say('no folder is bound to an artifact yet: `art commit NAME PATH` binds one');
  const heads = alignRows(
    results.map((result) => [out.style('bold', result.name), printable(result.path), stateText(result, out)]),
  );
  for (const [i, { added, modified, removed }] of results.entries()) {
    await out.line(heads[i]);
    await paths('added', 'green', added, out);
    await paths('modified', 'yellow', modified, out);
    await paths('removed', 'red', removed, out);
  }
}

function stateText(
  { held, latest, behind, clean, added, modified, removed, unpushed }: StatusResult,
  out: Output,
): string {
  const at = held === null ? 'never committed' : held;
  const late = behind > 0 ? ` (${behind} behind ${latest})` : '';
  const changed = formatCount(added.length + modified.length + removed.length, 'change');
  const sent = unpushed.length > 0 ? `  ${formatCount(unpushed.length, 'version')} not pushed` : '';
  return `${at}${late}  ${clean ? out.style('green', 'clean') : out.style('yellow', changed)}${sent}`;
}

async function paths(what: string, style: Style, list: readonly string[], out: Output): Promise<void> {
  for (const path of list.slice(0, PATHS_SHOWN_MAX))
    await out.line(`  ${out.style(style, what.padEnd(8))}  ${printable(path)}`);
  const more = list.length - PATHS_SHOWN_MAX;
  if (more > 0) await out.line(`  ${out.style(style, what.padEnd(8))}  and ${formatCount(more)} more`);
}
