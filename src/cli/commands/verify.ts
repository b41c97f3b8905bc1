/** `art verify`: checks that a folder holds exactly a version. */
import { formatCount } from '#base';
import type { VerifyResult } from '#repo';
import { defineCommand } from '../command.ts';
import type { Output, Style } from '../output.ts';
import { printable } from '../text.ts';

export const verifyCommand = defineCommand({
  usage: ['verify SPEC [DIR]'],
  summary: 'Check that a folder holds exactly a version',
  words: [1, 2],
  options: {},
  examples: [
    ['art verify cifar:v3', 'the bound folder; every byte is read'],
    ['art verify cifar /data/cifar', 'another folder, against the latest version'],
  ],
  async run({ words, out, open }) {
    const [spec, dir] = words;
    let result: VerifyResult;
    {
      await using repository = await open();
      result = await repository.verify(spec, dir);
    }
    if (out.json) out.document(result);
    else await out.whileRead(() => tell(spec, result, out));
    return result.ok ? 0 : 1;
  },
});

async function tell(spec: string, { ok, missing, extra, changed }: VerifyResult, out: Output): Promise<void> {
  if (ok) return out.say(`${printable(spec)}: every file is exactly as in the version`);
  const lists: readonly (readonly [string, Style, readonly string[]])[] = [
    ['missing', 'red', missing],
    ['extra', 'green', extra],
    ['changed', 'yellow', changed],
  ];
  for (const [what, style, paths] of lists) {
    for (const path of paths) await out.line(`${out.style(style, what.padEnd(7))}  ${printable(path)}`);
  }
  const count = formatCount(missing.length + extra.length + changed.length, 'difference');
  out.say(`${printable(spec)}: ${count}`);
}
