/** A deleter: turns live versions of one pointer into tombstones, by swap. */
import { has, POINTERS } from './scene.ts';
import { swapped } from './state.ts';
import type { Deleter, State, World } from './state.ts';
import type { Step } from './explorer.ts';

const AT = { pointer: 0, swap: 1 } as const;

/** "a deleted artifact is a state with a tombstone"; "Expiry is an ordinary deletion (tombstone by swap)". */
export function deleterSteps(state: State, { scene }: World): readonly Step<State>[] {
  const { deleter } = state;
  const at = scene.deleter.pointer;
  const { versions, tombstones } = state.pointers[at];
  const step = (act: string, change: Partial<Deleter>, from = state): Step<State> => ({
    actor: 'eve',
    act,
    next: { ...from, deleter: { ...from.deleter, ...change } },
  });

  if (deleter.at === AT.pointer) {
    if (deleter.done === scene.deleter.times || versions === 0) return [];
    return [step(`reads the pointer of ${POINTERS[at]}`, { at: AT.swap, fresh: 1 })];
  }
  if (!deleter.fresh) return [step('loses the swap; begins again', { at: AT.pointer })];
  return [0, 1, 2]
    .filter((version) => has(versions, version))
    .map((version) => {
      const value = { versions: versions & ~(1 << version), tombstones: tombstones | (1 << version) };
      const change = { at: AT.pointer, fresh: 0, done: deleter.done + 1 };
      return step(`deletes v${version} of ${POINTERS[at]}`, change, swapped(state, scene, at, value));
    });
}
