/** Turns objects into DAG-CBOR and back, strictly: one value has one encoding, and nothing else is accepted. */
import * as dagCbor from '@ipld/dag-cbor';
import { ArtError, equalBytes, utf8 } from '#base';
import { readPlainNode } from './plain-node.ts';

/** What a node is; the second byte of its encoding. Numbers are part of the format and never reused. */
export const NODE_KIND = {
  fileLeaf: 1,
  fileInner: 2,
  treeLeaf: 3,
  treeInner: 4,
  commit: 5,
  state: 6,
  run: 7,
  metadata: 8,
} as const;
export type NodeKind = keyof typeof NODE_KIND;

/** Namespaced fields (`vendor.name`) that this release does not know and keeps as they are. */
export type Ext = Readonly<Record<string, unknown>>;

/** The bounds that every node keeps; checked before memory is taken. */
export const NODE_BYTES_MAX = 2 * 1024 * 1024;

/** How many lists, maps and tags may stand in each other: the decoder goes down by calling itself. */
const NODE_DEPTH_MAX = 128;

/** Encodes `[kind, format, fields]`. DAG-CBOR sorts the keys of maps, so equal fields give equal bytes. */
export function encodeNode(kind: NodeKind, format: number, fields: Record<string, unknown>): Uint8Array {
  return dagCbor.encode([NODE_KIND[kind], format, fields]);
}

/** Which kind of node `bytes` say they are, by their first two bytes; raises OBJECT_INVALID if none. */
export function nodeKindOf(bytes: Uint8Array): NodeKind {
  if (bytes[0] === 0x83) {
    for (const [kind, number] of Object.entries(NODE_KIND)) if (number === bytes[1]) return kind as NodeKind;
  }
  throw new ArtError('OBJECT_INVALID', `object is of no known kind (begins ${bytes[0]}, ${bytes[1]})`);
}

/** Decodes a node of `kind` and `format`, or raises OBJECT_INVALID. */
export function decodeNode(kind: NodeKind, format: number, bytes: Uint8Array): Fields {
  const invalid = (why: string, cause?: unknown) =>
    new ArtError('OBJECT_INVALID', `${kind} ${why}`, { cause });
  if (bytes.length > NODE_BYTES_MAX) throw invalid(`of ${bytes.length} bytes is larger than any may be`);
  const plain = readPlainNode(bytes);
  if (plain === undefined && !isNestedAtMost(bytes, NODE_DEPTH_MAX))
    throw invalid(`is nested more than ${NODE_DEPTH_MAX} deep`);
  let decoded: unknown = plain;
  try {
    decoded ??= dagCbor.decode(bytes);
  } catch (cause) {
    throw invalid('is not DAG-CBOR', cause);
  }
  if (!Array.isArray(decoded) || decoded.length !== 3) throw invalid('is not [kind, format, fields]');
  const [foundKind, foundFormat, fields] = decoded as unknown[];
  if (foundKind !== NODE_KIND[kind]) throw invalid(`expected, found kind ${String(foundKind)}`);
  if (foundFormat !== format)
    throw invalid(`of format ${String(foundFormat)} is newer than this art knows (${format})`);
  if (!isMap(fields)) throw invalid('has no fields');
  // The decoder forgives what the encoder never writes (order of keys, long numbers): one value, one name.
  if (plain === undefined && !equalBytes(dagCbor.encode(decoded), bytes))
    throw invalid('is not in its one canonical encoding');
  return new Fields(kind, fields);
}

/** Reads named fields of one decoded node, each checked; `done` refuses what was not asked for. */
export class Fields {
  readonly what: string;
  readonly #map: Record<string, unknown>;
  readonly #seen = new Set<string>();

  constructor(what: string, map: Record<string, unknown>) {
    this.what = what;
    this.#map = map;
  }

  has(key: string): boolean {
    return Object.hasOwn(this.#map, key);
  }

  raw(key: string): unknown {
    this.#seen.add(key);
    return Object.hasOwn(this.#map, key) ? this.#map[key] : undefined;
  }

  /** A whole number of at least 0 and at most `max`. */
  count(key: string, max = Number.MAX_SAFE_INTEGER): number {
    const value = this.raw(key);
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0 || value > max)
      throw this.invalid(key);
    return value;
  }

  text(key: string, bytesMax: number): string {
    const value = this.raw(key);
    if (typeof value !== 'string' || value.length > bytesMax || utf8(value).length > bytesMax)
      throw this.invalid(key);
    return value;
  }

  bytes(key: string, bytesMax: number): Uint8Array {
    const value = this.raw(key);
    if (!(value instanceof Uint8Array) || value.length > bytesMax) throw this.invalid(key);
    return value;
  }

  /** A 32-byte digest. */
  digest(key: string): Uint8Array {
    const value = this.bytes(key, 32);
    if (value.length !== 32) throw this.invalid(key);
    return value;
  }

  list(key: string, lengthMax: number): readonly unknown[] {
    const value = this.raw(key);
    if (!Array.isArray(value) || value.length > lengthMax) throw this.invalid(key);
    return value;
  }

  texts(key: string, lengthMax: number, bytesMax: number): readonly string[] {
    const value = this.list(key, lengthMax);
    for (const item of value)
      if (typeof item !== 'string' || utf8(item).length > bytesMax) throw this.invalid(key);
    return value as readonly string[];
  }

  map(key: string): Readonly<Record<string, unknown>> {
    const value = this.raw(key);
    if (!isMap(value)) throw this.invalid(key);
    return value;
  }

  fields(key: string): Fields {
    return new Fields(`${this.what}.${key}`, this.map(key));
  }

  ext(): Ext {
    return this.map('ext');
  }

  /** Refuses fields that nobody read. */
  done(): void {
    for (const key of Object.keys(this.#map)) if (!this.#seen.has(key)) throw this.invalid(key);
  }

  invalid(key: string): ArtError {
    return new ArtError('OBJECT_INVALID', `${this.what} has a missing or impossible field "${key}"`);
  }
}

/** Whether nothing stands deeper than `max`; bytes that are no CBOR are left to the decoder. */
function isNestedAtMost(bytes: Uint8Array, max: number): boolean {
  // Items still to come at each depth; those of indefinite length are not DAG-CBOR, and the decoder says so.
  const left: number[] = [1];
  for (let at = 0; at < bytes.length;) {
    while (left.length > 0 && left[left.length - 1] === 0) left.pop();
    if (left.length === 0) return true;
    left[left.length - 1]--;
    const major = bytes[at] >> 5;
    const info = bytes[at] & 0x1f;
    const width = info < 24 ? 0 : info > 27 ? undefined : 1 << (info - 24);
    if (width === undefined) return true;
    let count = info;
    if (width > 0) {
      count = 0;
      for (let i = 1; i <= width; i++) count = count * 256 + (bytes[at + i] ?? 0);
    }
    at += 1 + width;
    if (major === 2 || major === 3) at += count;
    else if (major >= 4 && major <= 6) {
      left.push(major === 4 ? count : major === 5 ? 2 * count : 1);
      if (left.length > max + 1) return false;
    }
  }
  return true;
}

function isMap(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
