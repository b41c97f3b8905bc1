/** Begins work anew when gc took something that it built on. */
import { isArtError } from '#base';

const TRIES = 5;

/** Raises REUSED_GONE if that happens again and again. */
export async function rebegun<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!isArtError(error, 'REUSED_GONE') || attempt === TRIES) throw error;
    }
  }
}
