/** Compares, shows and packs bytes. */
import { ArtError } from './errors.ts';

/** Made when it is first used: it takes 0.2 ms, and what starts the program needs none. */
let decoder: InstanceType<typeof TextDecoder> | undefined;

export const EMPTY_BYTES = new Uint8Array(0);

/** Encodes text as UTF-8; a lone surrogate is a bug of the caller. */
export function utf8(text: string): Uint8Array {
  return Buffer.from(text, 'utf8');
}

/** Decodes UTF-8 strictly, or raises OBJECT_INVALID naming `what`. */
export function textOf(bytes: Uint8Array, what: string): string {
  try {
    return (decoder ??= new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })).decode(bytes);
  } catch (cause) {
    throw new ArtError('OBJECT_INVALID', `${what} is not valid UTF-8`, { cause });
  }
}

/** Orders bytes as unsigned numbers, a prefix before what it begins. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b);
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}

/** Orders text as its UTF-8 bytes would be ordered; JavaScript's own order differs beyond U+FFFF. */
export function compareUtf8(a: string, b: string): number {
  const end = Math.min(a.length, b.length);
  for (let i = 0; i < end; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return x >= 0xd800 && y >= 0xd800 ? surrogatesLast(x) - surrogatesLast(y) : x - y;
  }
  return a.length - b.length;
}

// Surrogates stand for code points above every other unit, so they must rank above U+E000..U+FFFF.
function surrogatesLast(unit: number): number {
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}

export function fromHex(hex: string): Uint8Array {
  return Buffer.from(hex, 'hex');
}

/** Grows as it is written to: varints (LEB128, up to 2^53-1), fixed numbers (little-endian) and runs of bytes. */
export class ByteWriter {
  #bytes: Buffer;
  #length = 0;

  constructor(capacity = 256) {
    this.#bytes = Buffer.allocUnsafe(capacity);
  }

  get length(): number {
    return this.#length;
  }

  u8(value: number): this {
    this.#room(1);
    this.#bytes[this.#length++] = value;
    return this;
  }

  u32(value: number): this {
    this.#room(4);
    this.#length = this.#bytes.writeUInt32LE(value, this.#length);
    return this;
  }

  f64(value: number): this {
    this.#room(8);
    this.#length = this.#bytes.writeDoubleLE(value, this.#length);
    return this;
  }

  varint(value: number): this {
    this.#room(8);
    while (value >= 0x80) {
      this.#bytes[this.#length++] = (value % 0x80) | 0x80;
      value = Math.floor(value / 0x80);
    }
    this.#bytes[this.#length++] = value;
    return this;
  }

  bytes(bytes: Uint8Array): this {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  /** A varint length, then the bytes. */
  sized(bytes: Uint8Array): this {
    return this.varint(bytes.length).bytes(bytes);
  }

  text(text: string): this {
    return this.sized(utf8(text));
  }

  /** A view of what was written; the next write may overwrite it. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** A copy of what was written. */
  take(): Uint8Array {
    return Buffer.from(this.view());
  }

  clear(): this {
    this.#length = 0;
    return this;
  }

  #room(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.#length + more, this.#bytes.length * 2));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }
}

/** Reads what ByteWriter wrote; running out of bytes raises OBJECT_INVALID naming `what`. */
export class ByteReader {
  readonly #bytes: Buffer;
  readonly #what: string;
  #offset = 0;

  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#what = what;
  }

  get offset(): number {
    return this.#offset;
  }

  get left(): number {
    return this.#bytes.length - this.#offset;
  }

  u8(): number {
    return this.#bytes[this.#take(1)];
  }

  u32(): number {
    return this.#bytes.readUInt32LE(this.#take(4));
  }

  f64(): number {
    return this.#bytes.readDoubleLE(this.#take(8));
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 8; i++) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (!Number.isSafeInteger(value)) break;
        return value;
      }
      scale *= 0x80;
    }
    throw this.invalid('holds a number that is too large');
  }

  bytes(length: number): Uint8Array {
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  sized(): Uint8Array {
    return this.bytes(this.varint());
  }

  text(): string {
    return textOf(this.sized(), this.#what);
  }

  invalid(why: string): ArtError {
    return new ArtError('OBJECT_INVALID', `${this.#what} ${why}`);
  }

  #take(length: number): number {
    const start = this.#offset;
    if (length < 0 || length > this.#bytes.length - start) throw this.invalid('ends too early');
    this.#offset += length;
    return start;
  }
}
