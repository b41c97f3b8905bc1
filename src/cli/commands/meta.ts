/** `art meta`: reads and changes metadata. */
import { ArtError, formatAge } from '#base';
import type { MetadataResult, MetadataRevision, Repository } from '#repo';
import { defineCommand } from '../command.ts';
import { readMetadata } from '../metadata.ts';
import type { Output } from '../output.ts';
import { personOf, printable } from '../text.ts';

export const metaCommand = defineCommand({
  usage: ['meta SPEC [K=V]... [--file F] [--unset K]... [--history]'],
  summary: 'Read or change metadata',
  words: [1, Infinity],
  options: {
    file: { kind: 'text', value: 'F', given: 'once', describe: 'Set what is in a file with one JSON object' },
    unset: { kind: 'text', value: 'K', given: 'list', mayBeEmpty: true, describe: 'Remove this key' },
    history: { kind: 'switch', describe: 'Show what it was before, newest first' },
  },
  examples: [
    ['art meta model', 'what is said about the latest version'],
    ['art meta model:v3 acc=0.93 note="best so far"', 'set two keys; the others stay'],
    ['art meta model:v3 --unset note', 'remove one'],
    ['art meta model:v3 --history', 'who changed it, and when'],
  ],
  async run({ words, options, out, folder, now, open }) {
    const [spec, ...pairs] = words;
    const { file, unset, history } = options;
    const set = readMetadata(pairs, file, folder);
    const both = unset.find((key) => Object.hasOwn(set ?? {}, key));
    if (both !== undefined)
      throw new ArtError('USAGE', `metadata ${JSON.stringify(both)} is set and unset at once`);
    const changes = set !== undefined || unset.length > 0;
    if (history && changes) throw new ArtError('USAGE', '--history shows; it goes with no change');
    await using repository = await open({ signed: changes });
    if (history) return await showHistory(repository, spec, out, now());
    const { changed, ...result } = await repository.meta(spec, { ...(set && { set }), unset });
    await repository.rest();
    if (out.json) return out.document(result);
    const named = `metadata of ${result.name}:${result.version}`;
    if (changes) return out.say(changed ? `${named} is changed` : `${named} was so already`);
    await show(result, out);
  },
});

async function showHistory(repository: Repository, spec: string, out: Output, nowMs: number): Promise<void> {
  const pages = onePage(repository.metaHistory(spec));
  if (out.json) return out.array(pages);
  for await (const [row] of pages) {
    const age = formatAge(Date.parse(row.time), nowMs);
    await out.line(
      out.style('bold', `${row.name}:${row.version}, operation ${row.op}, ${personOf(row.user)}, ${age}`),
    );
    await show(row, out);
  }
}

async function show({ metadata }: MetadataResult, out: Output): Promise<void> {
  for (const line of JSON.stringify(metadata, null, 2).split('\n')) await out.line(printable(line));
}

async function* onePage(
  rows: AsyncIterable<MetadataRevision>,
): AsyncGenerator<readonly MetadataRevision[], void, undefined> {
  for await (const row of rows) yield [row];
}
