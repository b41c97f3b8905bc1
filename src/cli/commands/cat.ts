/** `art cat`: writes one file of a version to standard output. */
import { ArtError } from '#base';
import { defineCommand } from '../command.ts';

export const catCommand = defineCommand({
  usage: ['cat SPEC PATH [--offset N] [--length N]'],
  summary: 'Write one file of a version to standard output',
  words: [2, 2],
  options: {
    offset: { kind: 'number', value: 'N', describe: 'Begin at this byte' },
    length: { kind: 'number', value: 'N', describe: 'Write at most N bytes' },
  },
  examples: [
    ['art cat cifar:v3 labels.csv', 'one file as it was in v3'],
    ['art cat model model.pt --offset 0 --length 64 | xxd', 'its first bytes only'],
  ],
  async run({ words, options, out, open }) {
    const [spec, path] = words;
    const { offset, length } = options;
    if (out.json) throw new ArtError('USAGE', '`art cat` writes bytes, so it has no --json');
    await using repository = await open();
    const range = { ...(offset !== undefined && { offset }), ...(length !== undefined && { length }) };
    for await (const piece of repository.cat(spec, path, range)) {
      const wait = out.bytes(piece);
      if (wait !== undefined) await wait;
    }
  },
});
