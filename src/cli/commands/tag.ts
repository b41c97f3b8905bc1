/** `art tag`: puts tags on versions and artifacts, and takes them off. */
import { ArtError } from '#base';
import type { TagResult } from '#repo';
import { defineCommand } from '../command.ts';
import { printable } from '../text.ts';

export const tagCommand = defineCommand({
  usage: ['tag SPEC TAG... [--remove]', 'tag --artifact NAME TAG... [--remove]'],
  summary: 'Put or remove tags',
  words: [1, Infinity],
  options: {
    artifact: {
      kind: 'text',
      value: 'NAME',
      given: 'once',
      describe: 'Tag the artifact instead of a version',
    },
    remove: { kind: 'switch', describe: 'Remove these tags' },
  },
  examples: [
    ['art tag cifar:v3 checked', 'label one version'],
    ['art tag cifar checked balanced', 'two tags for the latest version'],
    ['art tag --artifact cifar vision', 'label the artifact; `art list --tag vision` finds it'],
    ['art tag cifar:v3 checked --remove', 'take one off'],
  ],
  async run({ words, options, out, open }) {
    const { artifact, remove } = options;
    const target = artifact ?? words[0];
    const tags = artifact === undefined ? words.slice(1) : words;
    if (tags.length === 0)
      throw new ArtError('USAGE', `which tag is ${JSON.stringify(target)} to ${remove ? 'lose' : 'have'}?`);
    let result: TagResult;
    {
      await using repository = await open({ signed: true });
      result = await repository.tag({ target, tags, artifact: artifact !== undefined, remove });
    }
    if (out.json) return out.document(result);
    const name = result.version === null ? result.name : `${result.name}:${result.version}`;
    const shown = result.tags.map((tag) => `#${printable(tag)}`).join(' ');
    out.say(shown === '' ? `${name} has no tag now` : `${name} is tagged ${shown}`);
  },
});
