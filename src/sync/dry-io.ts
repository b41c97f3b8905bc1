/** Takes nodes without keeping them in a store: for learning what a merge would give. */
import { toHex } from '#base';
import type { NodeSource } from '#store';
import type { ArtifactIo } from '#version';

export function dryIo(source: NodeSource): ArtifactIo {
  const put = new Map<string, Uint8Array>();
  return {
    putNode: (digest, bytes) => void put.set(toHex(digest), Buffer.from(bytes)),
    async getNodes(digests) {
      const absent = digests.filter((digest) => !put.has(toHex(digest)));
      const stored = absent.length === 0 ? [] : await source.getNodes(absent);
      let next = 0;
      return digests.map((digest) => put.get(toHex(digest)) ?? stored[next++]);
    },
  };
}
