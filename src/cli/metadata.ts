/** Reads metadata as people give it: K=V words and JSON files. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { ArtError, fileError } from '#base';
import type { CommitRequest } from '#repo';

export type Metadata = NonNullable<CommitRequest['metadata']>;
type MetadataValue = Metadata[string];

/** What is in the file, with the pairs over it; undefined if there is neither. Raises USAGE, METADATA_INVALID. */
export function readMetadata(
  pairs: readonly string[],
  file: string | undefined,
  folder: string,
): Metadata | undefined {
  if (pairs.length === 0 && file === undefined) return undefined;
  const given = pairs.map(parsePair);
  const twice = given.find(([key], i) => given.findIndex(([other]) => other === key) < i);
  if (twice !== undefined) throw new ArtError('USAGE', `metadata ${JSON.stringify(twice[0])} is given twice`);
  const fromFile = file === undefined ? [] : Object.entries(readMetadataFile(resolve(folder, file)));
  // From entries, so that a key like __proto__ is a key like any other.
  return Object.fromEntries([...fromFile, ...given]);
}

/** `K=V`: K is literal; V is JSON if printing the parsed value gives the same text back, else text. Raises USAGE. */
export function parsePair(pair: string): readonly [string, MetadataValue] {
  const at = pair.indexOf('=');
  if (at <= 0) throw new ArtError('USAGE', `metadata is written KEY=VALUE, not ${JSON.stringify(pair)}`);
  return [pair.slice(0, at), parseValue(pair.slice(at + 1))];
}

function parseValue(text: string): MetadataValue {
  try {
    const value = JSON.parse(text) as MetadataValue;
    return JSON.stringify(value) === text ? value : text;
  } catch {
    return text;
  }
}

function readMetadataFile(path: string): Metadata {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw fileError(error, path);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : 'not JSON';
    throw new ArtError('METADATA_INVALID', `${JSON.stringify(path)} is not JSON: ${why}`, { cause });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Metadata;
  throw new ArtError('METADATA_INVALID', `${JSON.stringify(path)} must hold one JSON object`);
}
