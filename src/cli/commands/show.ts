/** `art show`: shows all about an artifact or a version. */
import { formatAge, formatBytes, formatCount } from '#base';
import type { ShownArtifact, ShownVersion } from '#repo';
import { defineCommand } from '../command.ts';
import type { Output } from '../output.ts';
import { alignRows, printable } from '../text.ts';

export const showCommand = defineCommand({
  usage: ['show NAME|SPEC'],
  summary: 'Show all about an artifact or a version',
  words: [1, 1],
  options: {},
  examples: [
    ['art show cifar', 'the artifact'],
    ['art show cifar:latest', 'its newest version'],
    ['art show cifar:v3 --json', 'one version, with its metadata, for a script'],
  ],
  async run({ words, out, now, open }) {
    let shown: ShownArtifact | ShownVersion;
    {
      await using repository = await open();
      shown = await repository.show(words[0]);
    }
    if (out.json) return out.document(documentOf(shown));
    const rows = shown.kind === 'artifact' ? artifactRows(shown, now()) : versionRows(shown, now());
    const filled = rows.filter(([, text]) => text !== '');
    const lines = alignRows(filled.map(([label, text]) => [out.style('dim', label), text]));
    for (const line of lines) await out.line(line);
    for (const text of texts(shown)) await block(text, out);
  },
});

/** Parents are the log's to tell: the document has what the contract names. */
function documentOf(shown: ShownArtifact | ShownVersion): object {
  if (shown.kind === 'version') {
    const { kind: _, parents: __, ...document } = shown;
    return document;
  }
  const { kind: _, ...document } = shown;
  return document;
}

type Row = readonly [string, string];

function artifactRows(shown: ShownArtifact, nowMs: number): Row[] {
  const { name, type, versions, latest, bytes, updated, tags, aliases } = shown;
  return [
    ['artifact', name],
    ['type', type],
    ['versions', `${formatCount(versions)}, the latest is ${latest}`],
    ['size', `${formatBytes(bytes)} in all versions`],
    ['updated', timeText(updated, nowMs)],
    [
      'aliases',
      Object.entries(aliases)
        .map(([alias, version]) => `${alias} = ${version}`)
        .join(', '),
    ],
    ['tags', tags.join(', ')],
  ];
}

function versionRows(shown: ShownVersion, nowMs: number): Row[] {
  const {
    name,
    version,
    type,
    cid,
    tree,
    parents,
    author,
    time,
    files,
    bytes,
    aliases,
    tags,
    producers,
    usedBy,
    expires,
  } = shown;
  return [
    ['version', `${name}:${version}`],
    ['type', type],
    ['aliases', aliases.join(', ')],
    ['tags', tags.join(', ')],
    ['content', `${formatCount(files, 'file')}, ${formatBytes(bytes)}`],
    ['author', printable(author)],
    ['time', timeText(time, nowMs)],
    ['commit', cid],
    ['tree', tree],
    ['parents', parents.join(', ')],
    ['made by', producers.join(', ')],
    ['used by', usedBy.join(', ')],
    ['expires', expires === null ? '' : timeText(expires, nowMs)],
  ];
}

function texts(shown: ShownArtifact | ShownVersion): string[] {
  if (shown.kind === 'artifact') return [shown.description ?? ''];
  const metadata = Object.keys(shown.metadata).length === 0 ? '' : JSON.stringify(shown.metadata, null, 2);
  return [shown.message, shown.description ?? '', metadata];
}

async function block(text: string, out: Output): Promise<void> {
  if (text.trim() === '') return;
  await out.line('');
  for (const line of text.trimEnd().split('\n')) await out.line(`    ${printable(line)}`.trimEnd());
}

function timeText(iso: string, nowMs: number): string {
  return `${iso.slice(0, 19).replace('T', ' ')} UTC (${formatAge(Date.parse(iso), nowMs)})`;
}
