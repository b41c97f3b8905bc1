/** Brings what remotes have promised; the room that can is loaded when something is missing. */
import type { PromiseKeeper } from '#repo';
import { openRemote } from './remote-words.ts';
import type { Environment } from './who.ts';

export function keeperWhenNeeded(setting: {
  readonly env: Environment;
  readonly now: () => number;
}): PromiseKeeper {
  let loading: Promise<PromiseKeeper> | undefined;
  let loaded: PromiseKeeper | undefined;
  const load = async () => {
    const { promiseKeeper } = await import('#sync');
    return (loaded = promiseKeeper(({ root }, remote) => openRemote(root, remote, setting)));
  };
  const keeper = () => (loading ??= load());
  return {
    fetch: async (context, from, ids) => (await keeper()).fetch(context, from, ids),
    absent: async (context, from, ids) => (await keeper()).absent(context, from, ids),
    spent: () => loaded?.spent() ?? { objects: 0, bytes: 0, requests: 0 },
    [Symbol.asyncDispose]: async () => {
      if (loading !== undefined) await (await loading)[Symbol.asyncDispose]();
    },
  };
}
