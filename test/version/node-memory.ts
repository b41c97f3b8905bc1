/** Keeps nodes in a map, and counts what is read and put. */
import { strict as assert } from 'node:assert';
import { equalBytes, toHex } from '#base';
import { hash } from '#object';
import type { Digest } from '#object';
import type { ArtifactIo } from '#version';

export class NodeMemory implements ArtifactIo {
  readonly #nodes = new Map<string, Uint8Array>();
  reads = 0;
  puts = 0;

  async getNodes(digests: readonly Digest[]): Promise<Uint8Array[]> {
    this.reads += digests.length;
    return digests.map((digest) => {
      const bytes = this.#nodes.get(toHex(digest));
      assert(bytes, 'a node that was never put');
      return bytes;
    });
  }

  putNode(digest: Digest, bytes: Uint8Array): void {
    assert(equalBytes(hash(bytes), digest), 'a node is put under its own name');
    this.puts++;
    this.#nodes.set(toHex(digest), Uint8Array.from(bytes));
  }
}

/** A digest that differs for each `seed`. */
export function digestOf(seed: number | string): Digest {
  return hash(Buffer.from(`digest ${seed}`));
}
