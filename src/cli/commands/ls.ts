/** `art ls`: lists what is in a version. */
import { formatBytes } from '#base';
import type { LsRow } from '#repo';
import { defineCommand } from '../command.ts';
import { printable } from '../text.ts';

const DIGEST_LENGTH_SHOWN = 10;
const SIZE_WIDTH = 10;

export const lsCommand = defineCommand({
  usage: ['ls SPEC [PREFIX] [-l]'],
  summary: 'List what is in a version',
  words: [1, 2],
  options: {
    l: { kind: 'switch', short: 'l', describe: 'With mode, size and digest' },
  },
  examples: [
    ['art ls cifar', 'every path in the latest version'],
    ['art ls cifar:v3 train/ -l', 'one folder of another, with sizes'],
    ['art ls cifar --json', 'with whole digests, as b3sum prints them'],
  ],
  async run({ words, options, out, open }) {
    const [spec, prefix] = words;
    await using repository = await open();
    const batches = repository.ls(spec, prefix);
    if (out.json) return await out.array(batches);
    for await (const batch of batches) {
      for (const row of batch) {
        const wait = out.line(options.l ? longLine(row) : pathText(row));
        if (wait !== undefined) await wait;
      }
    }
  },
});

function pathText({ path, kind }: LsRow): string {
  return printable(kind === 'folder' ? `${path}/` : path);
}

function longLine(row: LsRow): string {
  const { kind, size, digest, mode, target, uri } = row;
  const shownSize = kind === 'folder' ? '' : formatBytes(size);
  const shownDigest = (digest ?? '').slice(0, DIGEST_LENGTH_SHOWN).padEnd(DIGEST_LENGTH_SHOWN);
  const leads = target ?? uri;
  const to = leads === null ? '' : ` -> ${printable(leads)}`;
  return `${(mode ?? kind).padEnd(9)}  ${shownSize.padStart(SIZE_WIDTH)}  ${shownDigest}  ${pathText(row)}${to}`;
}
