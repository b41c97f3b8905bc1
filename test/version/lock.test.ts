import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isArtError } from '#base';
import { CHUNK, formatCid } from '#object';
import { formatLock, parseArtifactName, parseLock } from '#version';
import type { ArtifactName, Pin } from '#version';
import { digestOf } from './node-memory.ts';

const PINS = new Map<ArtifactName, Pin>([
  [parseArtifactName('mnist'), { commit: digestOf('m'), number: 12 }],
  [parseArtifactName('model.v2'), { commit: digestOf('n'), number: null }],
  [parseArtifactName('cifar'), { commit: digestOf('c'), number: 3 }],
]);

test('art.lock is this text', () => {
  expect(formatLock(PINS)).toMatchInlineSnapshot(`
    "# Written by art; keep it in Git: it says which version belongs to this state of your code.
    cifar = { commit = "bafyr4idsadhynnzxcoxakkh3nbzobxm2cmvatfwazlf3ofmvbyrtphrwre", version = "v3" }
    mnist = { commit = "bafyr4ib6a65ip3nzxoou2fhz7fysquoztwxnyuacdkwe3yp5xgwyn5uywa", version = "v12" }
    "model.v2" = { commit = "bafyr4ig3cocjfj6qf2a7uocl7ba4eao2v3lcwbvue7igw467ra6tzhupqq" }
    "
  `);
  expect(formatLock(new Map()).trim().split('\n')).toHaveLength(1);
});

test('what is written is read back, in any order of writing', () => {
  const name = fc
    .stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,12}[a-z]$/)
    .filter((text) => !text.endsWith('.lock'));
  const pin = fc.record({ commit: fc.nat().map(digestOf), number: fc.option(fc.maxSafeNat()) });
  fc.assert(
    fc.property(fc.uniqueArray(fc.tuple(name, pin), { selector: ([text]) => text }), (rows) => {
      const pins = new Map(rows.map(([text, value]) => [parseArtifactName(text), value]));
      expect(new Map(parseLock(formatLock(pins)))).toEqual(pins);
      expect(formatLock(new Map([...pins].reverse()))).toBe(formatLock(pins));
    }),
  );
});

const line = (commit: string, rest = '') => `# header\ncifar = { commit = "${commit}"${rest} }\n`;
const good = formatLock(PINS).match(/bafyr4i\w+/)?.[0] ?? '';

test.each([
  ['<<<<<<< ours\ncifar = 1\n', 1],
  [`${formatLock(PINS)}=======\n`, 5],
  [`${line(good)}||||||| base\n`, 3],
  [`${line(good)}>>>>>>> theirs\n`, 3],
  ['# header\n\ncifar = 1\n', 3],
  [line('bafyr4i'), 2],
  [line(formatCid({ kind: CHUNK, digest: digestOf(1) })), 2],
  [line(good.toUpperCase()), 2],
  [line(good, ', version = "3"'), 2],
  [line(good, ', version = 3'), 2],
  [line(good, ', version = "v99999999999999999"'), 2],
  [`"no name" = { commit = "${good}" }`, 1],
  [`${line(good)}${line(good)}`, 4],
  ['cifar = {', 1],
])('%j is refused with its line', (text, at) => {
  expect(() => parseLock(text)).toThrow(
    expect.objectContaining({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(new RegExp(`^art\\.lock:${at}: `)),
    }),
  );
});

test('no text raises anything but an operating error', () => {
  const text = formatLock(PINS);
  const mangled = fc.tuple(fc.nat(text.length), fc.nat(9), fc.string({ unit: 'binary', maxLength: 5 }));
  fc.assert(
    fc.property(mangled, ([at, cut, put]) => {
      try {
        parseLock(text.slice(0, at) + put + text.slice(at + cut));
      } catch (error) {
        expect(isArtError(error, 'CONFIG_INVALID')).toBe(true);
      }
    }),
    { numRuns: 1000 },
  );
});
