import { describe, expect, it } from 'vitest';
import { FrameSlots } from '../../src/store/frame-slots.ts';

const FRAME = 1000;

/** What the thread would do: here it does it before the caller looks again. */
function halves(raw: Uint8Array): Uint8Array {
  return raw.slice(0, raw.length >> 1);
}

function frame(fill: number, bytes = 100): Uint8Array {
  return new Uint8Array(bytes).fill(fill);
}

describe('FrameSlots', () => {
  it('gives what was compressed, and the frame as it was', () => {
    const slots = FrameSlots.make(2, FRAME);
    const slot = slots.fill(frame(7))!;
    expect(slots.done(slot)).toBe(false);
    slots.serve(halves, 1);
    expect(slots.done(slot)).toBe(true);
    expect(slots.take(slot)).toEqual(frame(7, 50));
    expect(slots.raw(slot)).toEqual(frame(7));
  });

  it('leaves a frame to the caller that nobody has begun', () => {
    const slots = FrameSlots.make(2, FRAME);
    const slot = slots.fill(frame(7))!;
    expect(slots.take(slot)).toBeUndefined();
    expect(slots.raw(slot)).toEqual(frame(7));
    slots.serve(() => expect.unreachable('it was taken back'), 1);
  });

  it('leaves a frame to the caller that the thread could not compress', () => {
    const slots = FrameSlots.make(1, FRAME);
    const slot = slots.fill(frame(7))!;
    slots.serve(() => {
      throw new Error('out of memory');
    }, 1);
    expect(slots.take(slot)).toBeUndefined();
  });

  it('gives the frame itself where compressing makes it longer than a slot has room for', () => {
    const slots = FrameSlots.make(1, FRAME);
    const slot = slots.fill(frame(9, FRAME))!;
    slots.serve((raw) => new Uint8Array(raw.length + 20), 1);
    expect(slots.take(slot)).toEqual(frame(9, FRAME));
  });

  it('takes no more frames than it has slots, and serves them in order', () => {
    const slots = FrameSlots.make(3, FRAME);
    const filled = [1, 2, 3].map((fill) => slots.fill(frame(fill))!);
    expect(slots.fill(frame(4))).toBeUndefined();
    const served: number[] = [];
    slots.serve((raw) => (served.push(raw[0]), halves(raw)), 1);
    expect(served).toEqual([1, 2, 3]);
    expect(filled.map((slot) => slots.take(slot)![0])).toEqual([1, 2, 3]);
    expect(slots.fill(frame(4))).toBe(filled[0]);
  });

  it('frees what is dropped before, while and after it is served', () => {
    const slots = FrameSlots.make(1, FRAME);
    slots.drop(slots.fill(frame(1))!);
    const during = slots.fill(frame(2))!;
    slots.serve((raw) => (slots.drop(during), halves(raw)), 1);
    const after = slots.fill(frame(3))!;
    slots.serve(halves, 1);
    slots.drop(after);
    expect(slots.fill(frame(4))).toBeDefined();
  });

  it('waits half a second for a thread that has died over a frame, and not at all once that is known', () => {
    const slots = FrameSlots.make(3, FRAME);
    const [first, second] = [slots.fill(frame(1))!, slots.fill(frame(2))!];
    // It never comes to answer: what it would do after its death is tried before.
    slots.serve(() => {
      const start = performance.now();
      expect(slots.take(first)).toBeUndefined();
      expect(performance.now() - start).toBeLessThan(5000);
      slots.abandon();
      expect(slots.take(second)).toBeUndefined();
      expect(slots.raw(first)).toEqual(frame(1));
      expect(slots.fill(frame(3))).toBeUndefined();
      return frame(1);
    }, 1);
  });

  it('does not wait once nobody will answer', () => {
    const slots = FrameSlots.make(1, FRAME);
    const slot = slots.fill(frame(1))!;
    slots.serve(() => {
      slots.abandon();
      const start = performance.now();
      expect(slots.take(slot)).toBeUndefined();
      expect(performance.now() - start).toBeLessThan(400);
      return frame(1);
    }, 1);
  });

  it('says that nobody attends once nothing came for a while', () => {
    const slots = FrameSlots.make(1, FRAME);
    slots.attended = true;
    slots.serve(halves, 1);
    expect(slots.attended).toBe(false);
  });
});
