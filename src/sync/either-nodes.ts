/** Reads nodes from the store where it has them, else out of a bucket, and keeps nothing of what it read. */
import { isArtError } from '#base';
import { NODE } from '#object';
import type { ObjectId } from '#object';
import type { NodeSource, ObjectStore } from '#store';
import type { RemoteReader } from './remote-reader.ts';

/** `reader` is asked for only where something is not here. */
export function eitherNodes(store: ObjectStore, reader: () => Promise<RemoteReader>): NodeSource {
  const read = async (ids: readonly ObjectId[]) => (ids.length === 0 ? [] : (await reader()).getMany(ids));
  return {
    async getNodes(digests) {
      const ids = digests.map((digest) => ({ kind: NODE, digest }) as const);
      const absent = new Set(await store.missing(ids));
      const here = ids.filter((id) => !absent.has(id)).map(({ digest }) => digest);
      try {
        const [local, remote] = [await store.getNodes(here), await read([...absent])];
        let [nextLocal, nextRemote] = [0, 0];
        return ids.map((id) => (absent.has(id) ? remote[nextRemote++] : local[nextLocal++]));
      } catch (error) {
        // gc or damage here is no reason not to read what is there.
        if (!isArtError(error, 'OBJECT_NOT_FOUND') && !isArtError(error, 'OBJECT_CORRUPT')) throw error;
        return read(ids);
      }
    },
  };
}
