/**
 * Keeps V8's space for young objects at 8 MB, where it would grow to 32 MB: with a million tiny files what is young is
 * garbage, and the space counts as memory of ours though little in it lives.
 *
 * How far it may grow is settled before any of our code runs (`--max-semi-space-size`). By what factor it grows is asked
 * at each collection, so that is what is set: 1 once it is large enough, 2 when V8 has made it smaller. A V8 that knows
 * no such factor goes on as it did. For a process that is ours alone; whoever embeds the library decides for themselves.
 */
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

const YOUNG_BYTES = 8 * 1024 * 1024;
const LOOK_MS = 10;

let watching: NodeJS.Timeout | undefined;

/** From now on. Not for work that has nothing to send or fetch: commit and checkout would take an eighth longer. */
export function keepYoungHeapSmall(): void {
  const look = () => {
    const young = getHeapSpaceStatistics().find((space) => space.space_name === 'new_space');
    if (young === undefined) return;
    // Every time: a thread that is started sets it back.
    setFlagsFromString(`--semi-space-growth-factor=${young.space_size < YOUNG_BYTES ? 2 : 1}`);
  };
  watching ??= setInterval(look, LOOK_MS).unref();
}

/** Leaves it to V8 again, with the factor it comes with: bytecode is good only under the flags that it was made under. */
export function letYoungHeapGrow(): void {
  if (watching === undefined) return;
  clearInterval(watching);
  watching = undefined;
  setFlagsFromString('--semi-space-growth-factor=2');
}
