/** Keeps cached rows in memory, packed: about 30 bytes beside key and value, where a Map of rows takes 600. */
import { compareBytes, equalBytes, murmur3 } from '#base';
import type { Cache, CacheRow } from './cache.ts';

const SLAB_BYTES = 1024 * 1024;
/** Rows begin at multiples of it: so a row's address fits into 32 bits. */
const UNIT = 8;
const UNITS = SLAB_BYTES / UNIT;
/** Lengths of key and value. */
const HEAD_BYTES = 8;
const EMPTY = 0;
/** A row was here: who looks for another goes on behind it. */
const GONE = 0xffffffff;

export class MemoryCache implements Cache {
  /** A row longer than a slab has one of its own. */
  readonly #slabs: Buffer[] = [];
  #used = SLAB_BYTES;
  /** The addresses of rows, each 1 more than it is, by the hash of their key. */
  #slots = new Uint32Array(1024);
  #taken = 0;

  async get(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    return keys.map((key) => {
      const address = this.#slots[this.#slotOf(key)];
      return address === EMPTY ? undefined : this.#rowAt(address).value;
    });
  }

  async put(rows: Iterable<CacheRow>): Promise<void> {
    for (const row of rows) {
      if ((this.#taken + 1) * 2 > this.#slots.length) this.#grow();
      const slot = this.#slotOf(row.key);
      if (this.#slots[slot] === EMPTY) this.#taken++;
      this.#slots[slot] = this.#store(row);
    }
  }

  async delete(keys: Iterable<Uint8Array>): Promise<void> {
    for (const key of keys) {
      const slot = this.#slotOf(key);
      if (this.#slots[slot] !== EMPTY) this.#slots[slot] = GONE;
    }
  }

  async list(
    prefix: Uint8Array,
    { after, limit }: { readonly after?: Uint8Array; readonly limit: number },
  ): Promise<CacheRow[]> {
    const wanted: CacheRow[] = [];
    for (const address of this.#slots) {
      if (address === EMPTY || address === GONE) continue;
      const row = this.#rowAt(address);
      if (!equalBytes(row.key.subarray(0, prefix.length), prefix)) continue;
      if (after === undefined || compareBytes(row.key, after) > 0) wanted.push(row);
    }
    return wanted.sort((a, b) => compareBytes(a.key, b.key)).slice(0, limit);
  }

  /** The slot of `key`, or the empty one where it belongs. */
  #slotOf(key: Uint8Array): number {
    const mask = this.#slots.length - 1;
    for (let slot = murmur3(key, 0) & mask; ; slot = (slot + 1) & mask) {
      const address = this.#slots[slot];
      if (address === EMPTY) return slot;
      if (address !== GONE && equalBytes(this.#rowAt(address).key, key)) return slot;
    }
  }

  #rowAt(address: number): CacheRow {
    const slab = this.#slabs[Math.floor((address - 1) / UNITS)];
    const at = ((address - 1) % UNITS) * UNIT;
    const keyEnd = at + HEAD_BYTES + slab.readUInt32LE(at);
    const end = keyEnd + slab.readUInt32LE(at + 4);
    return { key: slab.subarray(at + HEAD_BYTES, keyEnd), value: slab.subarray(keyEnd, end) };
  }

  /** What a row was before is left behind: values change seldom. */
  #store({ key, value }: CacheRow): number {
    const bytes = Math.ceil((HEAD_BYTES + key.length + value.length) / UNIT) * UNIT;
    if (this.#used + bytes > SLAB_BYTES) {
      this.#slabs.push(Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, bytes)));
      this.#used = 0;
    }
    const at = this.#used;
    const slab = this.#slabs[this.#slabs.length - 1];
    slab.writeUInt32LE(key.length, at);
    slab.writeUInt32LE(value.length, at + 4);
    slab.set(key, at + HEAD_BYTES);
    slab.set(value, at + HEAD_BYTES + key.length);
    this.#used += bytes;
    return (this.#slabs.length - 1) * UNITS + at / UNIT + 1;
  }

  #grow(): void {
    const before = this.#slots;
    const rows = before.filter((address) => address !== EMPTY && address !== GONE);
    this.#slots = new Uint32Array(rows.length * 4 > before.length ? before.length * 2 : before.length);
    this.#taken = rows.length;
    for (const address of rows) this.#slots[this.#slotOf(this.#rowAt(address).key)] = address;
  }
}
