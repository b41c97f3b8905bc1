/**
 * Lets one process at a time at the database, in the order in which they came, beside LevelDB's own lock, which a process
 * can lose silently. The lock is a hard link `owner` to a file that says who holds it; whoever waits drops a ticket beside it.
 */
import {
  closeSync,
  existsSync,
  linkSync,
  openSync,
  readdirSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { ArtError, clockMs, errnoOf, fileError, nonce, removeFile, sleep } from '#base';
import { isGone, readHolder, whoAmI } from './holder.ts';
import type { Holder } from './holder.ts';

const OWNER = 'owner';
const TICKET = 'ticket-';
const PROCESS = 'process-';
const UNFINISHED = '.new';
const WAIT_MS_MAX = 60_000;
/** How long the lock may be free before those who should take it are overtaken. */
const TURN_MS = 60;
/** How long the lock may be held by nobody who can be named: a power cut can leave it empty. */
const SILENT_MS = 2000;
/** How long a pause may be for whoever is next, and for the others. */
const NEXT_PAUSE_MS = 8;
const PAUSE_MS = 25;

export class OwnerLock {
  readonly #folder: string;
  readonly #owner: string;
  readonly #nonce = nonce(12);
  readonly #identity: string;
  readonly #subject: string;
  readonly #waitMsMax: number;
  #held = false;

  /** `subject` is what the lock guards, as messages call it; `waitMsMax` is how long to wait for it. */
  constructor(folder: string, subject = 'the repository', waitMsMax = WAIT_MS_MAX) {
    this.#folder = folder;
    this.#owner = join(folder, OWNER);
    this.#subject = subject;
    this.#waitMsMax = waitMsMax;
    this.#identity = join(folder, `${PROCESS}${this.#nonce}`);
  }

  /** Waits for the lock, at most 60 s unless told otherwise; raises LOCKED naming the holder after that. */
  async acquire(): Promise<void> {
    const ticket = this.#newTicket();
    const waited = new Lasting();
    const free = new Lasting();
    const silent = new Lasting();
    let waiting = false;
    let pauseMs = 1;
    try {
      for (;;) {
        const isOverdue = waited.ms(true) > this.#waitMsMax;
        const tickets = this.#tickets();
        const isNext = !tickets.some((name) => name < ticket && this.#counts(name));
        if ((isNext || isOverdue) && this.#take()) return;
        if (!tickets.includes(ticket)) this.#link(join(this.#folder, ticket)); // It may have been overtaken.
        waiting = true;
        const holder = this.holder();
        const isFree = holder === undefined && !existsSync(this.#owner);
        if (free.ms(isFree) > TURN_MS) this.#overtake(ticket);
        const isSilent = silent.ms(holder === undefined && !isFree) > SILENT_MS;
        if (isSilent || (holder !== undefined && isGone(holder))) this.#takeOver(holder);
        else if (isOverdue && !isFree) throw this.#lockedError(holder, waited.ms(true));
        await sleep(pauseMs * (0.5 + Math.random()));
        pauseMs = Math.min(pauseMs * 1.5, isNext ? NEXT_PAUSE_MS : PAUSE_MS);
      }
    } finally {
      if (waiting) removeFile(join(this.#folder, ticket));
    }
  }

  /** Gives the lock back, if it is still ours. */
  release(): void {
    if (!this.#held) return;
    this.#held = false;
    if (this.holder()?.nonce === this.#nonce) removeFile(this.#owner);
  }

  /** Whether somebody waits for the lock. */
  wanted(): boolean {
    return this.#tickets().some((name) => this.#counts(name));
  }

  /** Who holds the lock now, if anybody does and says so readably. */
  holder(): Holder | undefined {
    return readHolder(this.#owner);
  }

  /** Removes the lock whoever holds it: the user has said that its holder is gone for good. */
  break(): Holder | undefined {
    const holder = this.holder();
    removeFile(this.#owner);
    return holder;
  }

  /** Removes what this process left in the folder. */
  close(): void {
    this.release();
    removeFile(this.#identity);
  }

  #take(): boolean {
    if (!this.#link(this.#owner)) return false;
    this.#held = true;
    return true;
  }

  // A hard link appears with its content: nobody ever reads half a lock.
  #link(path: string): boolean {
    for (;;) {
      try {
        linkSync(this.#identity, path);
        return true;
      } catch (error) {
        const errno = errnoOf(error);
        if (errno === 'EEXIST') return false;
        if (errno === 'ENOENT') this.#introduce();
        else if (errno === 'EPERM' || errno === 'ENOTSUP' || errno === 'EMLINK')
          return createExclusive(path, this.#nonce);
        else throw fileError(error, path);
      }
    }
  }

  // It gets its name once it is whole: on a full disk a lock would be linked to an empty file, which is nobody's.
  #introduce(): void {
    const unfinished = this.#identity + UNFINISHED;
    try {
      writeFileSync(unfinished, JSON.stringify(whoAmI(this.#nonce)));
      if (readHolder(unfinished)?.nonce !== this.#nonce)
        throw new ArtError('IO_FAILED', `${JSON.stringify(unfinished)} is not what was written to it`);
      renameSync(unfinished, this.#identity);
    } catch (error) {
      removeFile(unfinished);
      throw fileError(error, this.#identity);
    }
    this.#reapProcesses();
  }

  // Files of processes that were killed; their tickets are reaped by whoever waits behind them.
  #reapProcesses(): void {
    for (const name of readdirSync(this.#folder)) {
      const path = join(this.#folder, name);
      if (!name.startsWith(PROCESS) || name.endsWith(UNFINISHED) || path === this.#identity) continue;
      const holder = readHolder(path);
      if (holder === undefined || isGone(holder)) removeFile(path);
    }
  }

  #tickets(): string[] {
    try {
      return readdirSync(this.#folder).filter((name) => name.startsWith(TICKET));
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return []; // The repository itself was removed.
      throw fileError(error, this.#folder);
    }
  }

  // Behind all that are there, also those whose clock is ahead of ours.
  #newTicket(): string {
    const last = Math.max(
      0,
      ...this.#tickets().map((name) => Number(name.slice(TICKET.length).split('-')[0])),
    );
    return `${TICKET}${String(Math.max(Date.now(), last + 1)).padStart(14, '0')}-${this.#nonce}`;
  }

  // Who does not take a free lock is stopped, or at another host that is gone. If not, its ticket comes back.
  #overtake(ticket: string): void {
    for (const name of this.#tickets()) if (name < ticket) removeFile(join(this.#folder, name));
  }

  #counts(ticket: string): boolean {
    if (ticket.endsWith(this.#nonce)) return false;
    const path = join(this.#folder, ticket);
    const holder = readHolder(path);
    if (holder !== undefined && !isGone(holder)) return true;
    removeFile(path);
    return false;
  }

  // The rename is atomic: of several who saw the same dead holder one gets its file, and looks at what it got.
  #takeOver(dead: Holder | undefined): void {
    const aside = join(this.#folder, `dead-${nonce(8)}`);
    try {
      renameSync(this.#owner, aside);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return;
      throw fileError(error, this.#owner);
    }
    if (readHolder(aside)?.nonce !== dead?.nonce) {
      try {
        linkSync(aside, this.#owner); // Somebody was quicker: give the new holder its lock back.
      } catch (error) {
        if (errnoOf(error) !== 'EEXIST') throw fileError(error, this.#owner);
      }
    }
    removeFile(aside);
  }

  #lockedError(holder: Holder | undefined, waitedMs: number): ArtError {
    const waited = `waited ${Math.round(waitedMs / 1000)} s`;
    if (holder === undefined) {
      return new ArtError(
        'LOCKED',
        `${this.#subject} is locked by a process that does not say who it is (${waited})`,
      );
    }
    const since = Math.round((Date.now() - holder.since) / 1000);
    return new ArtError(
      'LOCKED',
      `${this.#subject} is in use by process ${holder.pid} on ${holder.host}, started ${since} s ago (${waited})`,
    );
  }
}

/** Where a file system has no hard links: exclusive creation. What a crash leaves empty nobody heeds for long. */
function createExclusive(path: string, nonce: string): boolean {
  let fd: number;
  try {
    fd = openSync(path, 'wx');
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw fileError(error, path);
  }
  try {
    writeSync(fd, JSON.stringify(whoAmI(nonce)));
  } catch (error) {
    removeFile(path);
    throw fileError(error, path);
  } finally {
    closeSync(fd);
  }
  // Who was stopped before it was written may have been taken for gone.
  return readHolder(path)?.nonce === nonce;
}

/** How long something has been so without a break. */
class Lasting {
  #since: number | undefined;

  ms(isSo: boolean): number {
    if (!isSo) {
      this.#since = undefined;
      return 0;
    }
    this.#since ??= clockMs();
    return clockMs() - this.#since;
  }
}
