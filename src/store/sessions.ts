/** Says which processes are in the middle of a long write, and what they have published that no ref names yet. */
import { readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { errnoOf, fileError } from '#base';
import { isGone, readHolder, whoAmI } from './holder.ts';

const SESSION = /^session-([0-9a-f]+)\.json$/;

/** One long write: its unfinished packs lie in `tmp/` under its nonce, its published ones are spared by gc. */
export class Session {
  readonly #folder: string;
  readonly #nonce = randomBytes(8).toString('hex');
  readonly #packs: number[] = [];
  #count = 0;
  #begun = false;

  constructor(tmp: string) {
    this.#folder = tmp;
  }

  /** The path for a new unfinished pack. The first one announces the session and clears away what the dead left. */
  newPackPath(): string {
    if (!this.#begun) {
      this.#begun = true;
      reapSessions(this.#folder);
      this.#save();
    }
    return join(this.#folder, `${this.#nonce}-${this.#count++}.pack`);
  }

  /** Notes a pack before it is published. */
  note(pack: number): void {
    this.#packs.push(pack);
    this.#save();
  }

  end(): void {
    if (this.#begun) rmSync(this.#path(), { force: true });
    this.#begun = false;
  }

  #path(): string {
    return join(this.#folder, `session-${this.#nonce}.json`);
  }

  #save(): void {
    const temporary = `${this.#path()}.tmp`;
    try {
      writeFileSync(temporary, JSON.stringify({ ...whoAmI(this.#nonce), packs: this.#packs }));
      renameSync(temporary, this.#path());
    } catch (error) {
      throw fileError(error, this.#path());
    }
  }
}

/** The packs that live sessions have published; a session that cannot be seen from here counts as live. */
export function sparedPacks(tmp: string): Set<number> {
  const spared = new Set<number>();
  for (const name of namesIn(tmp)) {
    if (!SESSION.test(name)) continue;
    const holder = readHolder(join(tmp, name));
    if (holder === undefined || isGone(holder)) continue;
    for (const pack of packsOf(join(tmp, name))) spared.add(pack);
  }
  return spared;
}

/** Removes what sessions of dead processes left in `tmp/`; gives how many unfinished packs there were. */
export function reapSessions(tmp: string): number {
  let reaped = 0;
  const names = namesIn(tmp);
  for (const name of names) {
    const nonce = SESSION.exec(name)?.[1];
    if (nonce === undefined) continue;
    const holder = readHolder(join(tmp, name));
    if (holder === undefined || !isGone(holder)) continue;
    for (const pack of names) {
      if (!pack.startsWith(`${nonce}-`)) continue;
      rmSync(join(tmp, pack), { force: true });
      reaped++;
    }
    rmSync(join(tmp, name), { force: true });
  }
  return reaped;
}

function packsOf(path: string): number[] {
  try {
    const { packs } = JSON.parse(readFileSync(path, 'utf8')) as { packs?: unknown };
    return Array.isArray(packs) ? packs.filter((pack): pack is number => Number.isSafeInteger(pack)) : [];
  } catch {
    return []; // Ended in this moment.
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}
