/** `art describe`: describes artifacts and versions. */
import type { DescribeResult } from '#repo';
import { defineCommand } from '../command.ts';

export const describeCommand = defineCommand({
  usage: ['describe NAME|SPEC TEXT'],
  summary: 'Describe an artifact or a version',
  words: [2, 2],
  options: {},
  examples: [
    ['art describe cifar "60,000 small pictures"', 'what the artifact is (Markdown)'],
    ['art describe cifar:latest "two labels fixed"', 'what is special about one version'],
    ['art describe cifar ""', 'take the description away'],
  ],
  async run({ words, out, open }) {
    let result: DescribeResult;
    {
      await using repository = await open({ signed: true });
      result = await repository.describe(words[0], words[1]);
    }
    if (out.json) return out.document(result);
    const name = result.version === null ? result.name : `${result.name}:${result.version}`;
    out.say(result.description === null ? `${name} has no description now` : `described ${name}`);
  },
});
