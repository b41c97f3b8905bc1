/** `art download`: makes a plain copy of a version. */
import { defineCommand } from '../command.ts';
import { FROM_OPTIONS, refuseReach, viewRemote } from '../remote-view.ts';
import type { CheckoutResult } from '#repo';
import { checkoutText, documentOf } from './checkout.ts';

export const downloadCommand = defineCommand({
  usage: [
    'download SPEC [DIR] [--path P]... [--from URL] [--endpoint URL] [--region R] [--path-style] [--profile P]',
  ],
  summary: 'Make a plain copy of a version',
  words: [1, 2],
  options: {
    path: {
      kind: 'text',
      value: 'P',
      given: 'list',
      describe: 'Only paths that begin with P (`train/`: that folder)',
    },
    ...FROM_OPTIONS,
  },
  examples: [
    ['art download cifar:v3', 'a copy in artifacts/cifar:v3, bound to nothing'],
    ['art download cifar:best /data/cifar', 'restores files that differ, leaves extra ones'],
    ['art download cifar --path train/', 'only a part'],
    ['art download cifar --from /mnt/share/art', 'straight out of a remote, with no repository'],
  ],
  stopped: 'stopped midway; run the same command again to finish',
  async run(invocation) {
    const { words, options, out, open } = invocation;
    const [spec, dir] = words;
    refuseReach(options);
    const result = await downloaded();
    if (out.json) return out.document(documentOf(result));
    out.say(checkoutText(result, { dryRun: false }));

    async function downloaded(): Promise<CheckoutResult> {
      await using from = await (options.from === undefined
        ? open()
        : viewRemote(invocation, options.from, options));
      return await from.download({
        spec,
        ...(dir !== undefined && { dir }),
        ...(options.path.length > 0 && { paths: options.path }),
      });
    }
  },
});
