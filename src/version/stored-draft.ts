/** Defines the record of a draft: a version that many processes put together before it is published once. */
import { ByteWriter, assert } from '#base';
import type { ByteReader } from '#base';
import { DIGEST_BYTES } from '#object';
import type { Digest } from '#object';
import { parseArtifactName, parseDraftId } from './names.ts';
import type { ArtifactName, DraftId } from './names.ts';
import { digestIn, strictly } from './records.ts';

/** The version that something was begun from. */
export interface Origin {
  readonly artifact: ArtifactName;
  readonly number: number;
  readonly commit: Digest;
}

export interface StoredDraft {
  readonly artifact: ArtifactName;
  readonly id: DraftId;
  /** Absent if it began empty. */
  readonly onto: Origin | null;
  /** All that was added so far, over what it began from. */
  readonly tree: Digest;
  /** Files, links and references in it, and their bytes. */
  readonly files: number;
  readonly bytes: number;
  /** How many parts were added. */
  readonly parts: number;
  /** Milliseconds since 1970: of its first part, and of its last change. */
  readonly started: number;
  readonly changed: number;
  /** The version it became; null while it is open. */
  readonly became: { readonly number: number; readonly commit: Digest } | null;
}

const FORMAT = 1;

export function encodeStoredDraft(draft: StoredDraft): Uint8Array {
  const { onto, became } = draft;
  assert(draft.tree.length === DIGEST_BYTES);
  const writer = new ByteWriter().u8(FORMAT).text(draft.artifact).text(draft.id);
  writer.u8(onto === null ? 0 : 1);
  if (onto !== null) writer.text(onto.artifact).varint(onto.number).bytes(onto.commit);
  writer.bytes(draft.tree).varint(draft.files).varint(draft.bytes).varint(draft.parts);
  writer.f64(draft.started).f64(draft.changed);
  writer.u8(became === null ? 0 : 1);
  if (became !== null) writer.varint(became.number).bytes(became.commit);
  return writer.take();
}

/** Raises STORE_DAMAGED. */
export function decodeStoredDraft(bytes: Uint8Array): StoredDraft {
  return strictly('a record of a draft', bytes, read, encodeStoredDraft);
}

function read(reader: ByteReader): StoredDraft {
  const format = reader.u8();
  if (format !== FORMAT) throw reader.invalid(`has format ${format}, and this art knows ${FORMAT}`);
  const artifact = parseArtifactName(reader.text());
  const id = parseDraftId(reader.text());
  const onto = reader.u8() === 0 ? null : originIn(reader);
  const tree = digestIn(reader);
  const [files, bytes, parts] = [reader.varint(), reader.varint(), reader.varint()];
  const [started, changed] = [reader.f64(), reader.f64()];
  const became = reader.u8() === 0 ? null : { number: reader.varint(), commit: digestIn(reader) };
  return { artifact, id, onto, tree, files, bytes, parts, started, changed, became };
}

function originIn(reader: ByteReader): Origin {
  return { artifact: parseArtifactName(reader.text()), number: reader.varint(), commit: digestIn(reader) };
}
