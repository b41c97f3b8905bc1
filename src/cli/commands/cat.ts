/** `art cat`: writes one file of a version to standard output. */
import { ArtError } from '#base';
import { defineCommand } from '../command.ts';
import { FROM_OPTIONS, refuseReach, viewRemote } from '../remote-view.ts';

export const catCommand = defineCommand({
  usage: [
    'cat SPEC PATH [--offset N] [--length N] [--from URL] [--endpoint URL] [--region R] [--path-style] [--profile P]',
  ],
  summary: 'Write one file of a version to standard output',
  words: [2, 2],
  options: {
    offset: { kind: 'number', value: 'N', describe: 'Begin at this byte' },
    length: { kind: 'number', value: 'N', describe: 'Write at most N bytes' },
    ...FROM_OPTIONS,
  },
  examples: [
    ['art cat cifar:v3 labels.csv', 'one file as it was in v3'],
    ['art cat cifar labels.csv --from s3://bucket/prefix', 'straight out of a remote, with no repository'],
    ['art cat cifar labels.csv --from lab', 'or out of the remote called lab'],
    ['art cat model model.pt --offset 0 --length 64 | xxd', 'its first bytes only'],
  ],
  async run(invocation) {
    const { words, options, out, open } = invocation;
    const [spec, path] = words;
    const { offset, length } = options;
    refuseReach(options);
    if (out.json) throw new ArtError('USAGE', '`art cat` writes bytes, so it has no --json');
    const range = { ...(offset !== undefined && { offset }), ...(length !== undefined && { length }) };
    await using from = await (options.from === undefined
      ? open()
      : viewRemote(invocation, options.from, options));
    for await (const piece of from.cat(spec, path, range)) {
      const wait = out.bytes(piece);
      if (wait !== undefined) await wait;
    }
  },
});
