/** `art init`: makes a repository. */
import { resolve } from 'node:path';
import { defineCommand } from '../command.ts';
import { printable } from '../text.ts';

export const initCommand = defineCommand({
  usage: ['init [DIR] [--nested]'],
  summary: 'Make a repository',
  words: [0, 1],
  options: {
    nested: { kind: 'switch', describe: 'Make one even inside another repository' },
  },
  examples: [
    ['art init', 'make the current folder a repository'],
    ['art init experiments', 'make the folder, and in it a repository'],
  ],
  async run({ words, options, out, folder }) {
    const { initRepository } = await import('#repo');
    const { root, created } = await initRepository(resolve(folder, words[0] ?? '.'), {
      nested: options.nested,
      onWarning: (text) => out.warn(text),
    });
    if (out.json) return out.document({ root });
    const shown = printable(root);
    out.say(
      created ? `made a repository in ${shown}` : `${shown} is a repository already; nothing was changed`,
    );
  },
});
