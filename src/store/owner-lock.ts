/**
 * Lets one process at a time at the database, fairly, beside LevelDB's own lock, which a process can lose silently.
 * The lock is a hard link `owner` to a file that says who holds it; whoever waits drops a ticket beside it.
 */
import {
  closeSync,
  linkSync,
  openSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { ArtError, errnoOf, fileError, sleep } from '#base';

export interface Holder {
  readonly nonce: string;
  readonly host: string;
  readonly boot: string;
  readonly pidNamespace: string;
  readonly pid: number;
  readonly started: string;
  readonly since: number;
}

const OWNER = 'owner';
const TICKET = 'ticket-';
const WAIT_MS_MAX = 60_000;
/** How long the first in the queue may dawdle before others overtake it. */
const TURN_MS = 300;
/** A ticket from a place we cannot see into counts this long. */
const FOREIGN_TICKET_MS = 2 * WAIT_MS_MAX;

export class OwnerLock {
  readonly #folder: string;
  readonly #nonce = randomBytes(12).toString('hex');
  readonly #identity: string;
  readonly #subject: string;
  readonly #waitMsMax: number;
  #held = false;

  /** `subject` is what the lock guards, as messages call it; `waitMsMax` is how long to wait for it. */
  constructor(folder: string, subject = 'the repository', waitMsMax = WAIT_MS_MAX) {
    this.#folder = folder;
    this.#subject = subject;
    this.#waitMsMax = waitMsMax;
    this.#identity = join(folder, `process-${this.#nonce}`);
  }

  /** Waits for the lock, at most 60 s unless told otherwise; raises LOCKED naming the holder after that. */
  async acquire(): Promise<void> {
    const start = Date.now();
    const ticket = join(this.#folder, `${TICKET}${String(start).padStart(14, '0')}-${this.#nonce}`);
    let waiting = false;
    let pauseMs = 1;
    try {
      for (;;) {
        const patient = Date.now() - start < TURN_MS;
        if (!(waiting && patient && this.#othersFirst(ticket)) && this.#take()) return;
        if (!waiting) this.#link(ticket);
        waiting = true;
        const holder = this.holder();
        if (holder !== undefined && isGone(holder)) this.#takeOver(holder);
        else if (Date.now() - start > this.#waitMsMax) throw this.#lockedError(holder, Date.now() - start);
        await sleep(pauseMs * (0.5 + Math.random()));
        pauseMs = Math.min(pauseMs * 1.5, 25);
      }
    } finally {
      if (waiting) rmSync(ticket, { force: true });
    }
  }

  /** Gives the lock back, if it is still ours. */
  release(): void {
    if (!this.#held) return;
    this.#held = false;
    const owner = join(this.#folder, OWNER);
    if (this.holder()?.nonce === this.#nonce) rmSync(owner, { force: true });
  }

  /** Whether somebody waits for the lock. */
  wanted(): boolean {
    try {
      return readdirSync(this.#folder).some((name) => name.startsWith(TICKET) && this.#counts(name));
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return false; // The repository itself was removed.
      throw fileError(error, this.#folder);
    }
  }

  /** Who holds the lock now, if anybody does and says so readably. */
  holder(): Holder | undefined {
    return readHolder(join(this.#folder, OWNER));
  }

  /** Removes the lock whoever holds it: the user has said that its holder is gone for good. */
  break(): Holder | undefined {
    const holder = this.holder();
    rmSync(join(this.#folder, OWNER), { force: true });
    return holder;
  }

  /** Removes what this process left in the folder. */
  close(): void {
    this.release();
    rmSync(this.#identity, { force: true });
  }

  #take(): boolean {
    if (!this.#link(join(this.#folder, OWNER))) return false;
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

  #introduce(): void {
    try {
      writeFileSync(this.#identity, JSON.stringify(whoAmI(this.#nonce)));
    } catch (error) {
      throw fileError(error, this.#identity);
    }
    this.#reapProcesses();
  }

  // Files of processes that were killed; their tickets are reaped by whoever waits behind them.
  #reapProcesses(): void {
    for (const name of readdirSync(this.#folder)) {
      if (!name.startsWith('process-')) continue;
      const holder = readHolder(join(this.#folder, name));
      if (holder !== undefined && isGone(holder)) rmSync(join(this.#folder, name), { force: true });
    }
  }

  #othersFirst(ticket: string): boolean {
    const mine = ticket.slice(this.#folder.length + 1);
    return readdirSync(this.#folder).some(
      (name) => name.startsWith(TICKET) && name < mine && this.#counts(name),
    );
  }

  #counts(ticket: string): boolean {
    if (ticket.endsWith(this.#nonce)) return false;
    const path = join(this.#folder, ticket);
    const holder = readHolder(path);
    if (holder === undefined) return false;
    const age = Date.now() - Number(ticket.slice(TICKET.length, TICKET.length + 14));
    if (!isGone(holder) && age < FOREIGN_TICKET_MS) return true;
    rmSync(path, { force: true });
    return false;
  }

  // The rename is atomic: of several who saw the same dead holder one gets its file, and looks at what it got.
  #takeOver(dead: Holder): void {
    const owner = join(this.#folder, OWNER);
    const aside = join(this.#folder, `dead-${randomBytes(8).toString('hex')}`);
    try {
      renameSync(owner, aside);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return;
      throw fileError(error, owner);
    }
    if (readHolder(aside)?.nonce !== dead.nonce) {
      try {
        linkSync(aside, owner); // Somebody was quicker: give the new holder its lock back.
      } catch (error) {
        if (errnoOf(error) !== 'EEXIST') throw fileError(error, owner);
      }
    }
    rmSync(aside, { force: true });
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

/** Where a file system has no hard links: exclusive creation; a crash in between needs `fsck --break-lock`. */
function createExclusive(path: string, nonce: string): boolean {
  try {
    const fd = openSync(path, 'wx');
    writeSync(fd, JSON.stringify(whoAmI(nonce)));
    closeSync(fd);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw fileError(error, path);
  }
}

/** Says which process this is, in words that another can check. */
export function whoAmI(nonce: string): Holder {
  return { nonce, ...place(), pid: process.pid, started: startOf(process.pid), since: Date.now() };
}

/** Tells whether a process is surely gone: another boot of this host, or no such process where we can see it. */
export function isGone(holder: Holder): boolean {
  const here = place();
  if (holder.host !== here.host) return false;
  if (holder.boot !== here.boot) return holder.boot !== '' && here.boot !== '';
  if (holder.pidNamespace !== here.pidNamespace) return false;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if (errnoOf(error) === 'ESRCH') return true;
  }
  const started = startOf(holder.pid);
  return started !== '' && holder.started !== '' && started !== holder.started;
}

export function readHolder(path: string): Holder | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return isHolder(value) ? value : undefined;
  } catch {
    return undefined; // Gone, or half written where there are no hard links: nobody that can be named.
  }
}

function isHolder(value: unknown): value is Holder {
  if (typeof value !== 'object' || value === null) return false;
  const { nonce, host, boot, pidNamespace, pid, started, since } = value as Record<string, unknown>;
  const texts = [nonce, host, boot, pidNamespace, started].every((text) => typeof text === 'string');
  return texts && Number.isSafeInteger(pid) && (pid as number) > 0 && typeof since === 'number';
}

let known: { readonly host: string; readonly boot: string; readonly pidNamespace: string } | undefined;

function place(): { readonly host: string; readonly boot: string; readonly pidNamespace: string } {
  known ??= {
    host: hostname(),
    boot: readOr('', () => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
    pidNamespace: readOr('', () => readlinkSync('/proc/self/ns/pid')),
  };
  return known;
}

// Field 22 of /proc/PID/stat; the command in field 2 may hold blanks and brackets. Elsewhere: unknown.
function startOf(pid: number): string {
  return readOr('', () => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  });
}

function readOr(otherwise: string, read: () => string): string {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
