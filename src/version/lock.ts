/** Reads and writes `art.lock`: which commit each bound path should hold, one sorted line an artifact. */
import { ArtError, compareUtf8 } from '#base';
import { NODE, formatCid, parseCid } from '#object';
import type { Digest } from '#object';
import { parseArtifactName } from './names.ts';
import type { ArtifactName } from './names.ts';
import { configError, formatKey, formatScalar, isTable, lineOf, parseToml } from './toml-text.ts';

export const LOCK_FILE = 'art.lock';

/** What one path should hold. The commit decides; the number is for people, and differs after a renumbering push. */
export interface Pin {
  readonly commit: Digest;
  readonly number: number | null;
}

const HEADER =
  '# Written by art; keep it in Git: it says which version belongs to this state of your code.\n';

/** Parses `art.lock`; raises CONFIG_INVALID with file and line, for merge-conflict markers too. */
export function parseLock(text: string, file = LOCK_FILE): ReadonlyMap<ArtifactName, Pin> {
  const pins = new Map<ArtifactName, Pin>();
  for (const [key, value] of Object.entries(parseToml(text, file))) {
    try {
      pins.set(parseArtifactName(key), parsePin(value));
    } catch (error) {
      if (!(error instanceof ArtError)) throw error;
      throw configError(file, lineOf(text, [key]), error.message, error);
    }
  }
  return pins;
}

/** The text of `art.lock`: equal pins give equal text, and two people's edits rarely touch one line. */
export function formatLock(pins: ReadonlyMap<ArtifactName, Pin>): string {
  const names = [...pins.keys()].sort(compareUtf8);
  return HEADER + names.map((name) => formatPin(name, pins.get(name) as Pin)).join('');
}

function formatPin(name: ArtifactName, { commit, number }: Pin): string {
  const version = number === null ? '' : `, version = ${formatScalar(`v${number}`)}`;
  return `${formatKey([name])} = { commit = ${formatScalar(formatCid({ kind: NODE, digest: commit }))}${version} }\n`;
}

function parsePin(value: unknown): Pin {
  const invalid = (why: string) => new ArtError('CONFIG_INVALID', why);
  if (!isTable(value) || typeof value.commit !== 'string')
    throw invalid('expected { commit = "CID", version = "vN" }');
  const { kind, digest } = parseCid(value.commit);
  if (kind !== NODE) throw invalid(`${value.commit} names no commit`);
  const { version } = value;
  if (version === undefined) return { commit: digest, number: null };
  const number = typeof version === 'string' && /^v\d{1,16}$/.test(version) ? Number(version.slice(1)) : NaN;
  if (!Number.isSafeInteger(number)) throw invalid('expected version = "vN"');
  return { commit: digest, number };
}
