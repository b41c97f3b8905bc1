/** `art log`: shows versions, newest first. */
import { formatAge, formatBytes, formatCount } from '#base';
import type { LogRow, Repository } from '#repo';
import { defineCommand } from '../command.ts';
import { LogGraph } from '../log-graph.ts';
import { tellStandings } from '../standing.ts';
import { alignRows, firstLine, shortHash } from '../text.ts';

const ROWS_DEFAULT = 20;
/** Rows that are aligned with each other, and written together. */
const PAGE_ROWS = 500;
const MESSAGE_LENGTH_MAX = 72;

export const logCommand = defineCommand({
  usage: ['log [NAME] [--limit N] [--graph]'],
  summary: 'Show versions, newest first',
  words: [0, 1],
  options: {
    limit: {
      kind: 'number',
      value: 'N',
      describe: `At most N versions (default: ${ROWS_DEFAULT}, with --json all)`,
    },
    graph: { kind: 'switch', describe: 'Draw which version was made from which' },
  },
  examples: [
    ['art log', 'the newest versions of all artifacts'],
    ['art log cifar --limit 100', 'more of one'],
    ['art log cifar --graph', 'with lines where a version was made from an older one'],
    ['art log cifar --json', 'all of it, for a script'],
  ],
  async run({ words, options, out, now, open }) {
    const limit = options.limit ?? (out.json ? Infinity : ROWS_DEFAULT);
    await using repository = await open();
    const unpushed = out.json ? undefined : new UnpushedVersions(repository);
    const rows = pages(repository, words[0], limit);
    if (out.json) return await out.array(rows);
    const graph = options.graph ? new LogGraph() : undefined;
    let left = limit;
    for await (const page of rows) {
      left -= page.length;
      await unpushed?.learn(page);
      const isWhole = left > 0 && page.length < PAGE_ROWS;
      const lines = alignRows(page.map(cells), [3]);
      for (const line of graph === undefined ? lines : drawn(graph, page, lines, { isWhole }))
        await out.line(line);
    }
    const end = graph?.end();
    if (end !== undefined) await out.line(end);
    await tellStandings(repository, out, words[0]);
    // Whoever set no limit may not know that there is one.
    if (left === 0 && options.limit === undefined)
      out.note(`the newest ${formatCount(limit)} are shown; --limit shows more`);

    function cells({ name, version, cid, time, bytes, aliases, tags, message }: LogRow): string[] {
      const labels = [
        ...aliases.map((alias) => out.style('green', alias)),
        ...tags.map((tag) => out.style('cyan', `#${tag}`)),
        ...(unpushed?.has(name, version) ? [out.style('yellow', 'not pushed')] : []),
      ];
      return [
        out.style('bold', `${name}:${version}`),
        out.style('dim', shortHash(cid)),
        formatAge(Date.parse(time), now()),
        formatBytes(bytes),
        labels.join(', '),
        firstLine(message, MESSAGE_LENGTH_MAX),
      ];
    }
  },
});

/** Knows which versions no remote has, of the artifacts it was shown. */
class UnpushedVersions {
  readonly #repository: Repository;
  readonly #numbers = new Map<string, ReadonlySet<number>>();

  constructor(repository: Repository) {
    this.#repository = repository;
  }

  async learn(page: readonly LogRow[]): Promise<void> {
    for (const { name } of page)
      if (!this.#numbers.has(name)) this.#numbers.set(name, await this.#repository.unpushed(name));
  }

  has(name: string, version: string): boolean {
    return this.#numbers.get(name)?.has(Number(version.slice(1))) === true;
  }
}

/** Each line behind its lanes; `isWhole`: no version comes after this page, so a parent not on it is gone. */
function drawn(
  graph: LogGraph,
  page: readonly LogRow[],
  lines: readonly string[],
  { isWhole }: { readonly isWhole: boolean },
): string[] {
  const here = new Set(page.map(({ cid }) => cid));
  const isGone = (cid: string) => isWhole && !here.has(cid);
  const rows = page.map((row) => graph.add(row, isGone));
  const width = Math.max(0, ...rows.map(({ lead }) => lead.length));
  return rows.flatMap(({ lead, below }, i) => [`${lead.padEnd(width)}  ${lines[i]}`, ...below]);
}

async function* pages(
  repository: Repository,
  name: string | undefined,
  limit: number,
): AsyncGenerator<readonly LogRow[]> {
  let page: LogRow[] = [];
  let left = limit;
  if (left === 0) return;
  for await (const row of repository.log(name)) {
    page.push(row);
    left--;
    if (left === 0) break;
    if (page.length < PAGE_ROWS) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}
