import { expect, test } from 'vitest';
import { LogGraph } from '../../src/cli/log-graph.ts';

/** `5<3,4` is version 5, made from 3 and 4. */
function drawn(rows: string, gone = ''): string {
  const graph = new LogGraph();
  const lines = rows.split(' ').flatMap((row) => {
    const [cid, parents = ''] = row.split('<');
    const { lead, below } = graph.add({ cid, parents: parents.split(',').filter(Boolean) }, (parent) =>
      gone.split(',').includes(parent),
    );
    return [`${lead} ${cid}`, ...below];
  });
  const end = graph.end();
  return `\n${[...lines, ...(end === undefined ? [] : [end])].join('\n')}\n`;
}

test('a line of versions is one lane', () => {
  expect(drawn('2<1 1<0 0')).toBe('\n○ 2\n○ 1\n○ 0\n');
});

test('versions made from an older one have lanes of their own, which join there', () => {
  expect(drawn('5<3 4<2 3<0 2<1 1<0 0')).toMatchInlineSnapshot(`
    "
    ○ 5
    │ ○ 4
    ○ │ 3
    │ ○ 2
    │ ○ 1
    ├─╯
    ○ 0
    "
  `);
});

test('lanes join across those between them', () => {
  expect(drawn('6<1 5<2 4<3 3<1 2<1 1<0 0')).toMatchInlineSnapshot(`
    "
    ○ 6
    │ ○ 5
    │ │ ○ 4
    │ │ ○ 3
    ├─┼─╯
    │ ○ 2
    ├─╯
    ○ 1
    ○ 0
    "
  `);
});

test('a version of two parents opens a lane for the second', () => {
  expect(drawn('3<2,1 2<0 1<0 0')).toMatchInlineSnapshot(`
    "
    ○ 3
    ├─╮
    ○ │ 2
    │ ○ 1
    ├─╯
    ○ 0
    "
  `);
});

test('what is gone, and what is not shown, ends a lane', () => {
  expect(drawn('4<3 2<1', '3')).toBe('\n○ 4\n~\n○ 2\n~\n');
});
