/** Keeps nodes in memory for the tests of trees, and counts what is asked of it. */
import { ArtError, toHex } from '#base';
import { FILE, hash } from '#object';
import type { Digest, MapEntry } from '#object';
import type { NodeSink, NodeSource } from '#store';
import { MapBuilder, entries } from '#tree';
import type { MapRange, MapRoot } from '#tree';

export class MemoryNodes implements NodeSource, NodeSink {
  readonly nodes = new Map<string, Uint8Array>();
  /** Nodes put that were not there yet. */
  fresh = 0;
  reads = 0;
  calls = 0;

  putNode(digest: Digest, bytes: Uint8Array): void {
    const key = toHex(digest);
    if (toHex(hash(bytes)) !== key) throw new Error('a node is put under a name that is not its own');
    if (this.nodes.has(key)) return;
    this.nodes.set(key, bytes);
    this.fresh++;
  }

  async getNodes(digests: readonly Digest[]): Promise<Uint8Array[]> {
    this.calls++;
    return digests.map((digest) => {
      this.reads++;
      const bytes = this.nodes.get(toHex(digest));
      if (bytes === undefined) throw new ArtError('OBJECT_NOT_FOUND', toHex(digest));
      return bytes;
    });
  }

  count(): void {
    this.fresh = this.reads = this.calls = 0;
  }
}

export function entryOf(key: string | Uint8Array, value: Partial<Omit<MapEntry, 'key'>> = {}): MapEntry {
  const bytes = typeof key === 'string' ? new TextEncoder().encode(key) : Uint8Array.from(key);
  return {
    key: bytes,
    kind: FILE,
    executable: false,
    size: bytes.length,
    digest: hash(bytes),
    extra: new Uint8Array(0),
    ...value,
  };
}

export function build(nodes: NodeSink, all: Iterable<MapEntry>): MapRoot {
  const builder = new MapBuilder(nodes);
  for (const entry of all) builder.add(entry);
  return builder.finish();
}

export async function list(nodes: NodeSource, root: Digest, range?: MapRange): Promise<MapEntry[]> {
  const all: MapEntry[] = [];
  for await (const batch of entries(nodes, root, range)) all.push(...batch);
  return all;
}

/** Bytes of an entry in a form that compares as a whole. */
export function shown(entry: MapEntry | undefined): string {
  if (entry === undefined) return '-';
  const { key, kind, executable, size, digest, extra } = entry;
  return [toHex(key), kind, executable, size, toHex(digest), toHex(extra)].join(' ');
}
