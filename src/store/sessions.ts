/** Says which processes are in the middle of a long write, and what they have published that no ref names yet. */
import { existsSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ArtError, errnoOf, fileError, nonce } from '#base';
import { isGone, isInSight, readHolder, whoAmI } from './holder.ts';
import type { Holder } from './holder.ts';

/** How long a session that cannot be seen from here may note nothing before it is given up. */
export const UNHEARD_DAYS = 7;
const SESSION = /^session-([0-9a-f]+)\.json$/;

/** One long write: its unfinished packs lie in `tmp/` under its nonce, its published ones are spared by gc. */
export class Session {
  readonly #folder: string;
  readonly #nonce = nonce(8);
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

  /** Notes a pack before it is published. Raises IO_FAILED as `check` does. */
  note(pack: number): void {
    this.check();
    this.#packs.push(pack);
    this.#save();
  }

  /** Raises IO_FAILED if somebody gave it up: gc may have taken what it published. While the database is pinned. */
  check(): void {
    if (!this.#begun || existsSync(this.#path())) return;
    throw new ArtError('IO_FAILED', 'this command was taken for dead, as it wrote nothing for days', {
      hint: 'Run the command again.',
    });
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

/** The packs that live sessions have published. */
export function sparedPacks(tmp: string): Set<number> {
  const spared = new Set<number>();
  for (const name of namesIn(tmp)) {
    if (!SESSION.test(name)) continue;
    if (isOver(join(tmp, name))) continue;
    for (const pack of packsOf(join(tmp, name))) spared.add(pack);
  }
  return spared;
}

/** The processes with sessions that cannot be seen from here and so count as live, for a while. */
export function unseenProcesses(tmp: string): Holder[] {
  return namesIn(tmp).flatMap((name) => {
    const path = join(tmp, name);
    const holder = SESSION.test(name) ? readHolder(path) : undefined;
    return holder === undefined || isInSight(holder) || isOver(path) ? [] : [holder];
  });
}

/** Removes what sessions that are over left in `tmp/`; gives how many unfinished packs there were. */
export function reapSessions(tmp: string): number {
  let reaped = 0;
  const names = namesIn(tmp);
  for (const name of names) {
    const nonce = SESSION.exec(name)?.[1];
    if (nonce === undefined) continue;
    if (!isOver(join(tmp, name))) continue;
    for (const pack of names) {
      if (!pack.startsWith(`${nonce}-`)) continue;
      rmSync(join(tmp, pack), { force: true });
      reaped++;
    }
    rmSync(join(tmp, name), { force: true });
  }
  return reaped;
}

// Who cannot be seen may be long at work without a word. It looks for its record before it publishes what counts on it.
function isOver(path: string): boolean {
  const holder = readHolder(path);
  if (holder !== undefined && (isInSight(holder) || isGone(holder))) return isGone(holder);
  const changed = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  return changed !== undefined && Date.now() - changed > UNHEARD_DAYS * 24 * 60 * 60 * 1000;
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
