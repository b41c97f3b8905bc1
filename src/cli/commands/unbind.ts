/** `art unbind`: takes a binding away. */
import { defineCommand } from '../command.ts';
import { printable } from '../text.ts';

export const unbindCommand = defineCommand({
  usage: ['unbind NAME'],
  summary: 'Take a binding away, touching no file',
  words: [1, 1],
  options: {},
  examples: [
    ['art unbind cifar', 'its folder and its versions stay as they are'],
    ['art unbind cifar --json', 'and say which folder it was'],
  ],
  async run({ words, out, open }) {
    await using repository = await open();
    const { name, path } = await repository.unbind(words[0]);
    if (out.json) return out.document({ name, path });
    out.say(`${name} is no longer bound to ${printable(path)}; no file was touched`);
  },
});
