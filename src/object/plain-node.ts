/**
 * Reads nodes whose fields are byte strings, whole numbers and empty maps, as leaves and inner nodes of trees are: a
 * strict subset of DAG-CBOR (RFC 8949, section 4.2.1), read in one go where the general decoder must encode again to
 * see that there was no other encoding.
 */

const ARRAY_OF_3 = 0x83;
const BYTES = 2;
const TEXT = 3;
const MAP = 5;
const KEY_BYTES_MAX = 32;

/**
 * `[kind, format, fields]`, its byte strings views of `bytes`; undefined if anything in it is of another
 * shape or not canonical: then the general decoder has to tell what it is.
 */
export function readPlainNode(
  bytes: Uint8Array,
): readonly [number, number, Record<string, unknown>] | undefined {
  if (bytes[0] !== ARRAY_OF_3) return undefined;
  const reader = new HeadReader(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length));
  reader.at = 1;
  const kind = reader.head(0);
  const format = reader.head(0);
  const count = reader.head(MAP);
  if (kind < 0 || format < 0 || count < 0) return undefined;
  const fields = Object.create(null) as Record<string, unknown>;
  let previous = '';
  for (let i = 0; i < count; i++) {
    const key = reader.key();
    // Keys sort by length, then by bytes, and none stands twice.
    if (key === undefined || key.length < previous.length) return undefined;
    if (key.length === previous.length && key <= previous) return undefined;
    const value = reader.value();
    if (value === undefined) return undefined;
    fields[key] = value;
    previous = key;
  }
  return reader.at === bytes.length ? [kind, format, fields] : undefined;
}

class HeadReader {
  at = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The number in a head of this major type in its shortest form, below 2^32; -1 if there is none. */
  head(major: number): number {
    const bytes = this.#bytes;
    const first = bytes[this.at++] ?? 0xff;
    if (first >>> 5 !== major) return -1;
    const info = first & 31;
    if (info < 24) return info;
    if (info > 26) return -1;
    const length = 1 << (info - 24);
    let value = 0;
    for (let i = 0; i < length; i++) value = value * 256 + (bytes[this.at++] ?? NaN);
    const least = info === 24 ? 24 : info === 25 ? 0x100 : 0x10000;
    return value >= least ? value : -1;
  }

  /** A short key of ASCII characters. */
  key(): string | undefined {
    const length = this.head(TEXT);
    if (length <= 0 || length > KEY_BYTES_MAX || length > this.#bytes.length - this.at) return undefined;
    let key = '';
    for (const end = this.at + length; this.at < end; this.at++) {
      if (this.#bytes[this.at] >= 0x80) return undefined;
      key += String.fromCharCode(this.#bytes[this.at]);
    }
    return key;
  }

  value(): unknown {
    const major = this.#bytes[this.at] >>> 5;
    if (major === 0) {
      const number = this.head(0);
      return number < 0 ? undefined : number;
    }
    if (major === MAP) return this.head(MAP) === 0 ? {} : undefined;
    if (major !== BYTES) return undefined;
    const length = this.head(BYTES);
    if (length < 0 || length > this.#bytes.length - this.at) return undefined;
    this.at += length;
    return this.#bytes.subarray(this.at - length, this.at);
  }
}
