/** `art rename`: gives an artifact another name, or another type. */
import { defineCommand } from '../command.ts';

export const renameCommand = defineCommand({
  usage: ['rename NAME NEW [--type T]'],
  summary: 'Rename an artifact, or change its type',
  words: [2, 2],
  options: {
    type: { kind: 'text', short: 't', value: 'T', given: 'once', describe: 'Change its type too' },
  },
  examples: [
    ['art rename cifar cifar10', 'versions, aliases and the bound folder go with the name'],
    ['art rename cifar cifar --type table', 'only the type'],
  ],
  async run({ words, options, out, open }) {
    const [name, to] = words;
    const { type } = options;
    await using repository = await open({ signed: true });
    const result = await repository.rename({ name, to, ...(type !== undefined && { type }) });
    if (out.json) return out.document(result);
    const called = name === to ? name : `${name} is ${to} now`;
    const typed = name === to ? `${name} is of type ${type} now` : `${called}, of type ${type}`;
    out.say(type === undefined ? called : typed);
  },
});
