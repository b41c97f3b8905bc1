import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatAge, formatBytes, formatCount, formatDuration } from '#base';

const DAY = 86_400_000;

test('bytes are shown in binary units of three digits or so', () => {
  const shown = [
    0,
    980,
    1023,
    1024,
    1536,
    102_000,
    1_048_000,
    1_048_576,
    1.2 * 2 ** 30,
    512 * 2 ** 20,
    2 ** 53,
  ].map(formatBytes);
  expect(shown).toEqual([
    '0 B',
    '980 B',
    '1023 B',
    '1.0 KiB',
    '1.5 KiB',
    '99.6 KiB',
    '1023 KiB',
    '1.0 MiB',
    '1.2 GiB',
    '512 MiB',
    '8.0 PiB',
  ]);
});

test('shown bytes never reach the next unit nor stray from the truth', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), (bytes) => {
      const [, number, unit] = /^([\d.]+) (\w+)$/.exec(formatBytes(bytes)) as RegExpExecArray;
      expect(Number(number)).toBeLessThan(1024);
      const scale = 1024 ** ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'].indexOf(unit);
      expect(Math.abs(Number(number) * scale - bytes)).toBeLessThanOrEqual(bytes * 0.051 + 0.5);
    }),
  );
});

test('counts have their thousands apart and the right noun', () => {
  expect([0, 999, 1000, 1234567].map((count) => formatCount(count))).toEqual([
    '0',
    '999',
    '1,000',
    '1,234,567',
  ]);
  expect([0, 1, 2000].map((count) => formatCount(count, 'file'))).toEqual([
    '0 files',
    '1 file',
    '2,000 files',
  ]);
  expect([1, 2].map((count) => formatCount(count, 'entry', 'entries'))).toEqual(['1 entry', '2 entries']);
});

test('ages are rounded down to the largest unit', () => {
  const now = Date.UTC(2024, 5, 1);
  const ages = [
    0,
    1500,
    2000,
    59_999,
    60_000,
    3_599_999,
    3_600_000,
    DAY,
    3 * DAY,
    8 * DAY,
    45 * DAY,
    800 * DAY,
  ];
  expect(ages.map((age) => formatAge(now - age, now))).toEqual([
    'just now',
    'just now',
    '2 seconds ago',
    '59 seconds ago',
    '1 minute ago',
    '59 minutes ago',
    '1 hour ago',
    '1 day ago',
    '3 days ago',
    '1 week ago',
    '1 month ago',
    '2 years ago',
  ]);
});

test('a clock slightly ahead is now, one far ahead is said', () => {
  expect(formatAge(5000, 0)).toBe('just now');
  expect(formatAge(3 * DAY, 0)).toBe('in 3 days');
});

test('durations use the two units that matter', () => {
  const times = [0, 85.4, 999.6, 1400, 59_949, 59_960, 200_000, 3_599_600, 7_500_000, 360_000_000];
  expect(times.map(formatDuration)).toEqual([
    '0 ms',
    '85 ms',
    '1.0 s',
    '1.4 s',
    '59.9 s',
    '1 min 0 s',
    '3 min 20 s',
    '1 h 0 min',
    '2 h 5 min',
    '100 h 0 min',
  ]);
});
