/** `art alias`: puts, moves and removes names of versions. */
import { ArtError } from '#base';
import type { AliasResult } from '#repo';
import { defineCommand } from '../command.ts';

export const aliasCommand = defineCommand({
  usage: ['alias SPEC ALIAS...', 'alias --remove NAME:ALIAS...'],
  summary: 'Put, move or remove names of versions',
  words: [1, Infinity],
  options: {
    remove: { kind: 'switch', describe: 'Remove these aliases' },
  },
  examples: [
    ['art alias cifar:v3 best', 'best names v3 from now on'],
    ['art alias cifar prod candidate', 'two names for the latest version'],
    ['art alias --remove cifar:candidate', 'take one away'],
  ],
  async run({ words, options, out, open }) {
    const [spec, ...aliases] = words;
    if (!options.remove && aliases.length === 0)
      throw new ArtError('USAGE', `which alias is ${JSON.stringify(spec)} to have?`);
    const results: AliasResult[] = [];
    {
      await using repository = await open({ signed: true });
      results.push(
        ...(options.remove ? await repository.removeAliases(words) : [await repository.alias(spec, aliases)]),
      );
    }
    if (out.json) return out.document(options.remove ? results : results[0]);
    for (const result of results) {
      const named = result.aliases.length === 0 ? 'has no alias now' : `is ${result.aliases.join(', ')}`;
      out.say(`${result.name}:${result.version} ${named}`);
    }
  },
});
