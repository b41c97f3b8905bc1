/** Holds objects that wait to land, in their order: small ones packed, as as objects a dozen bytes take 500. */
import { ByteReader, ByteWriter } from '#base';
import type { Digest, ObjectKind } from '#object';

/** What is no longer is copied; what is longer stays as it came. */
const PACKED_MAX = 256;

export interface Waiting {
  readonly kind: ObjectKind;
  readonly digest: Digest;
  readonly bytes: Uint8Array;
}

export class LandingQueue {
  readonly #rows = new ByteWriter(64 * 1024);
  readonly #packed = new ByteWriter(64 * 1024);
  #large: Uint8Array[] = [];
  length = 0;
  /** Of the contents alone. */
  bytes = 0;

  push({ kind, digest, bytes }: Waiting): void {
    this.#rows.u8(kind).u32(bytes.length).bytes(digest);
    if (bytes.length > PACKED_MAX) this.#large.push(bytes);
    else this.#packed.bytes(bytes);
    this.length++;
    this.bytes += bytes.length;
  }

  /** Every object; views that the next `push` may leave stale. */
  *[Symbol.iterator](): IterableIterator<Waiting> {
    const rows = new ByteReader(this.#rows.view(), 'what waits');
    const packed = new ByteReader(this.#packed.view(), 'what waits');
    const large = this.#large.values();
    while (rows.left > 0) {
      const kind = rows.u8() as ObjectKind;
      const length = rows.u32();
      const digest = rows.bytes(32);
      const bytes = length > PACKED_MAX ? large.next().value! : packed.bytes(length);
      yield { kind, digest, bytes };
    }
  }

  clear(): void {
    this.#rows.clear();
    this.#packed.clear();
    this.#large = [];
    this.length = this.bytes = 0;
  }
}
