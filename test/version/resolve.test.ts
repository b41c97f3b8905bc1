import { beforeAll, expect, test } from 'vitest';
import { isArtError, toHex } from '#base';
import { NODE, formatCid } from '#object';
import {
  addVersion,
  artifactNotFound,
  newArtifact,
  parseAlias,
  parseArtifactName,
  parseSpec,
  parseTypeName,
  removeVersions,
  resolve,
  setAlias,
} from '#version';
import type { Artifact } from '#version';
import { NodeMemory, digestOf } from './node-memory.ts';

const io = new NodeMemory();
const name = parseArtifactName('cifar');
const COUNT = 2000;
let artifact: Artifact;

beforeAll(async () => {
  artifact = newArtifact({ name, type: parseTypeName('dataset') });
  for (let i = 0; i < COUNT; i++) {
    ({ artifact } = await addVersion(io, artifact, { commit: digestOf(i), bytes: 1 }));
  }
  for (const number of [3, 7, COUNT - 1]) {
    artifact = await removeVersions(io, artifact, [number], { who: 'mia', when: Date.UTC(2024, 1, 2) });
  }
  artifact = await setAlias(io, artifact, parseAlias('best'), 8);
});

async function find(text: string): Promise<string> {
  const { selector, back } = parseSpec(text);
  try {
    return `v${(await resolve(io, artifact, selector, back)).number}`;
  } catch (error) {
    if (!isArtError(error)) throw error;
    return `${error.code}: ${error.message} (${error.hint})`;
  }
}

test('numbers, aliases and the newest are found, and so many live versions before them', async () => {
  expect(await find('cifar')).toBe('v1998');
  expect(await find('cifar:latest')).toBe('v1998');
  expect(await find('cifar~1')).toBe('v1997');
  expect(await find('cifar~1990')).toBe('v8');
  expect(await find('cifar~1991')).toBe('v6');
  expect(await find('cifar~1996')).toBe('v0');
  expect(await find('cifar:v5')).toBe('v5');
  expect(await find('cifar:best')).toBe('v8');
  expect(await find('cifar:best~1')).toBe('v6');
  expect(await find('cifar:best~4')).toBe('v2');
});

test('hashes are found by hex, CID and any sufficient start of them', async () => {
  const hex = toHex(digestOf(42));
  const cid = formatCid({ kind: NODE, digest: digestOf(42) });
  expect(await find(`cifar@${hex}`)).toBe('v42');
  expect(await find(`cifar@${hex.slice(0, 12).toUpperCase()}`)).toBe('v42');
  expect(await find(`cifar@${cid}`)).toBe('v42');
  expect(await find(`cifar@${cid.slice(0, 20)}`)).toBe('v42');
  expect(await find(`cifar@${hex}~1`)).toBe('v41');
  expect(await find(`cifar@${toHex(digestOf(3))}`)).toMatch('VERSION_NOT_FOUND');
});

test('a hash that fits several versions names the candidates, newest first', async () => {
  const found = await find(`cifar@${formatCid({ kind: NODE, digest: digestOf(42) }).slice(0, 8)}`);
  expect(found).toMatch(
    /^HASH_AMBIGUOUS: "cifar@bafyr4i\w" fits more than one version: (v\d+ \([0-9a-f]{10}\), ){10}…/,
  );
  const numbers = [...found.matchAll(/v(\d+) \(/g)].map(([, number]) => Number(number));
  expect(numbers).toEqual([...numbers].sort((a, b) => b - a));
});

test('one commit under two numbers is no ambiguity: the newest is meant', async () => {
  const twice = await addVersion(io, artifact, { commit: digestOf(42), bytes: 1 });
  const { selector } = parseSpec(`cifar@${toHex(digestOf(42)).slice(0, 16)}`);
  expect((await resolve(io, twice.artifact, selector)).number).toBe(twice.number);
});

test('what is missing is said, with what may have been meant', async () => {
  expect([
    await find('cifar:v3'),
    await find('cifar:v9999'),
    await find('cifar:bset'),
    await find('cifar:production'),
    await find('cifar:origin/best'),
    await find('cifar~1997'),
    await find('cifar:v0~1'),
    await find('cifar:v1~5'),
    await find(`cifar@${'0'.repeat(64)}`),
  ]).toMatchInlineSnapshot(`
    [
      "VERSION_NOT_FOUND: version "cifar:v3" was deleted by mia on 2024-02-02 (\`art log\` shows the versions there are.)",
      "VERSION_NOT_FOUND: version "cifar:v9999" does not exist (The newest version is "cifar:v1998".)",
      "ALIAS_NOT_FOUND: artifact "cifar" has no alias "bset" (Did you mean "cifar:best"?)",
      "ALIAS_NOT_FOUND: artifact "cifar" has no alias "production" (\`art show NAME\` lists its aliases.)",
      "ALIAS_NOT_FOUND: nothing is known of "cifar:best" at the remote "origin" (\`art show NAME\` lists its aliases.)",
      "VERSION_NOT_FOUND: only 1996 versions come before "cifar:v1998", not 1997 (\`art log\` shows the versions there are.)",
      "VERSION_NOT_FOUND: no version comes before "cifar:v0", not 1 (\`art log\` shows the versions there are.)",
      "VERSION_NOT_FOUND: only 1 version comes before "cifar:v1", not 5 (\`art log\` shows the versions there are.)",
      "VERSION_NOT_FOUND: no version's hash begins as "cifar@0000000000000000000000000000000000000000000000000000000000000000" says (\`art log\` shows the versions there are.)",
    ]
  `);
  const none = newArtifact({ name, type: parseTypeName('dataset') });
  await expect(resolve(io, none, { by: 'latest' })).rejects.toThrow('artifact "cifar" has no versions');
  expect(artifactNotFound('cifra', ['mnist', 'cifar'])).toMatchObject({
    code: 'ARTIFACT_NOT_FOUND',
    hint: 'Did you mean "cifar"?',
  });
  expect(artifactNotFound('imagenet', ['mnist']).hint).toContain('art list');
});
