import { expect, test } from 'vitest';
import { FrameCache, type CachedFrame } from '../../src/store/frame-cache.ts';
import { FRAME_RAW_MAX } from '../../src/store/pack-format.ts';

const CACHE_BYTES = 16 * 1024 * 1024;

const HALF = FRAME_RAW_MAX / 2;

test.each([
  ['just long enough to share memory', [HALF]],
  ['as long as they may be', [FRAME_RAW_MAX]],
  ['short after long', [FRAME_RAW_MAX, 40_000]],
  ['of all lengths', [HALF, 40_000, FRAME_RAW_MAX, 4 * FRAME_RAW_MAX, HALF - 1]],
])('what is kept of frames takes 16 MiB, with the rest of their memory: %s', (_, lengths) => {
  const cache = new FrameCache();
  const made = new Map<string, CachedFrame>();
  const get = (key: string, bytes: number, fill: (into: Uint8Array) => void) => {
    const frame = cache.get(key, bytes, fill);
    made.set(key, frame);
    return frame;
  };
  let n = 0;
  for (const bytes of lengths) for (let i = 0; i < 1000; i++) get(`${n++}:`, bytes, () => undefined);
  // From the newest on: what is asked for and not here would push others out.
  let kept = 0;
  for (let i = n - 1; i >= 0; i--) {
    const frame = made.get(`${i}:`)!;
    try {
      cache.get(`${i}:`, 0, () => {
        throw new Error('it is not here');
      });
    } catch {
      break;
    }
    kept += frame.bytes.buffer.byteLength;
  }
  expect(kept).toBeLessThanOrEqual(CACHE_BYTES);
  expect(kept).toBeGreaterThan(CACHE_BYTES - 4 * FRAME_RAW_MAX);
});

test('memory of frames that nobody looks at is used again, that of others is not', () => {
  const cache = new FrameCache();
  const get = (key: number) => cache.get(`${key}:`, FRAME_RAW_MAX, (into) => into.fill(key));
  const watched = get(1);
  watched.uses++;
  const buffers = new Set([watched.bytes.buffer]);
  for (let key = 2; key < 100; key++) buffers.add(get(key).bytes.buffer);
  expect(buffers.size).toBe(CACHE_BYTES / FRAME_RAW_MAX + 1);
  expect(watched.bytes.every((byte) => byte === 1)).toBe(true);
  // Memory that cannot be filled is lost to nobody else.
  expect(() =>
    cache.get('bad', FRAME_RAW_MAX, () => {
      throw new Error('damaged');
    }),
  ).toThrow('damaged');
  expect(get(99).bytes.every((byte) => byte === 99)).toBe(true);
});
