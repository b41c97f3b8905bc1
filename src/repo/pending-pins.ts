/** Notes what `art.lock` is to say while the version is published, so that a crash in between is made good. */
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { equalBytes, fileError, isArtError, nonce } from '#base';
import type { RecordSource } from '#store';
import { formatLock, parseLock } from '#version';
import type { ArtifactName, Pin } from '#version';
import type { Context } from './context.ts';
import { findHeld } from './find.ts';
import { boundFolder, readWanted, writePins } from './wanted-files.ts';

const PREFIX = 'pins-';

export type Pins = ReadonlyMap<ArtifactName, Pin>;

/** A note lies in `tmp/` from before the publishing until `art.lock` is written. */
export class PendingPins {
  readonly #root: string;
  readonly #path: string;
  #pins: Pins = new Map();

  constructor({ root, tmp }: Pick<Context, 'root' | 'tmp'>) {
    this.#root = root;
    this.#path = join(tmp, `${PREFIX}${nonce(8)}`);
  }

  /** Call under the lock, before the publishing. Not synced: what a power failure takes is no more than the note. */
  note(pins: Pins): void {
    this.#pins = pins;
    if (pins.size === 0) return;
    try {
      writeFileSync(this.#path, formatLock(pins));
    } catch (error) {
      throw fileError(error, this.#path);
    }
  }

  /** Writes what was noted into `art.lock`. */
  write(): void {
    writePins(this.#root, this.#pins);
    if (this.#pins.size > 0) rmSync(this.#path, { force: true });
  }
}

/** Writes into `art.lock` what somebody published who did not come to write it: what the bound folder holds now. */
export async function repairPins(context: Context): Promise<void> {
  if (notesIn(context.tmp).length === 0) return;
  await using tx = await context.store.begin();
  // Under the lock, which whoever has just noted something holds until it is written.
  await tx.publish(async (locked) => {
    for (const note of notesIn(context.tmp)) {
      const path = join(context.tmp, note);
      const pins = await stillHeld(context, locked, readNote(path));
      writePins(context.root, pins);
      rmSync(path, { force: true });
    }
  });
}

/** A note that whoever wrote it did not finish was published by nobody, or lost its end with the power: it says nothing. */
function readNote(path: string): Pins {
  try {
    return parseLock(readFileSync(path, 'utf8'), path);
  } catch (error) {
    if (isArtError(error, 'CONFIG_INVALID')) return new Map();
    throw fileError(error, path);
  }
}

function notesIn(tmp: string): string[] {
  try {
    return readdirSync(tmp).filter((name) => name.startsWith(PREFIX));
  } catch (error) {
    throw fileError(error, tmp);
  }
}

/** A note of what was never published, or is long past, says nothing. */
async function stillHeld({ root }: Context, source: RecordSource, noted: Pins): Promise<Pins> {
  const { bindings } = readWanted(root);
  const pins = new Map<ArtifactName, Pin>();
  for (const [name, pin] of noted) {
    const binding = bindings.get(name);
    const held = binding && (await findHeld(source, boundFolder(root, binding)));
    if (held?.artifact === name && held.moving.length === 0 && equalBytes(held.commit, pin.commit))
      pins.set(name, pin);
  }
  return pins;
}
