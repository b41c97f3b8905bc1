/** Begins work anew when gc took something that it built on. */
import { isArtError } from '#base';
import type { ObjectStore, Transaction } from '#store';

const TRIES = 5;

/**
 * Does `work` in one transaction, again if need be: what was put is not read again, only what is gone. Raises REUSED_GONE
 * if that happens again and again.
 */
export async function rebegun<T>(store: ObjectStore, work: (tx: Transaction) => Promise<T>): Promise<T> {
  await using tx = await store.begin();
  for (let attempt = 1; ; attempt++) {
    try {
      return await work(tx);
    } catch (error) {
      if (!isArtError(error, 'REUSED_GONE') || attempt === TRIES) throw error;
    }
  }
}
