/** `art download`: makes a plain copy of a version. */
import { defineCommand } from '../command.ts';
import type { CheckoutResult } from '#repo';
import { checkoutText, documentOf } from './checkout.ts';

export const downloadCommand = defineCommand({
  usage: ['download SPEC [DIR] [--path P]...'],
  summary: 'Make a plain copy of a version',
  words: [1, 2],
  options: {
    path: {
      kind: 'text',
      value: 'P',
      given: 'list',
      describe: 'Only paths that begin with P (`train/`: that folder)',
    },
  },
  examples: [
    ['art download cifar:v3', 'a copy in artifacts/cifar:v3, bound to nothing'],
    ['art download cifar:best /data/cifar', 'restores files that differ, leaves extra ones'],
    ['art download cifar --path train/', 'only a part'],
  ],
  stopped: 'stopped midway; run the same command again to finish',
  async run({ words, options, out, open }) {
    const [spec, dir] = words;
    const result = await downloaded();
    if (out.json) return out.document(documentOf(result));
    out.say(checkoutText(result, { dryRun: false }));

    async function downloaded(): Promise<CheckoutResult> {
      await using repository = await open();
      return await repository.download({
        spec,
        ...(dir !== undefined && { dir }),
        ...(options.path.length > 0 && { paths: options.path }),
      });
    }
  },
});
