/** Says which process holds something, in words by which another process can tell whether it is gone. */
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { errnoOf } from '#base';

export interface Holder {
  readonly nonce: string;
  readonly host: string;
  /** Which machine has that name; older records do not say. */
  readonly machine?: string;
  readonly boot: string;
  readonly pidNamespace: string;
  readonly pid: number;
  readonly started: string;
  readonly since: number;
}

/** Says which process this is, in words that another can check. */
export function whoAmI(nonce: string): Holder {
  return { nonce, ...place(), pid: process.pid, started: startOf(process.pid), since: Date.now() };
}

/**
 * Tells whether a process is surely gone: another boot of this host, or no such process where we can see it. Two hosts may
 * have one name, so that what says which machine it is must be the same as well.
 */
export function isGone(holder: Holder): boolean {
  const here = place();
  if (holder.host !== here.host || (holder.machine ?? '') !== here.machine) return false;
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

/** Whether a process is where it could be seen from here if it were there. */
export function isInSight({ host, machine = '', pidNamespace }: Holder): boolean {
  const here = place();
  return host === here.host && machine === here.machine && pidNamespace === here.pidNamespace;
}

export function readHolder(path: string): Holder | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return isHolder(value) ? value : undefined;
  } catch {
    return undefined; // Gone, or empty: nobody that can be named.
  }
}

function isHolder(value: unknown): value is Holder {
  if (typeof value !== 'object' || value === null) return false;
  const { nonce, host, machine, boot, pidNamespace, pid, started, since } = value as Record<string, unknown>;
  const texts = [nonce, host, machine ?? '', boot, pidNamespace, started].every(
    (text) => typeof text === 'string',
  );
  return texts && Number.isSafeInteger(pid) && (pid as number) > 0 && typeof since === 'number';
}

type Place = Required<Pick<Holder, 'host' | 'machine' | 'boot' | 'pidNamespace'>>;
let known: Place | undefined;

function place(): Place {
  known ??= {
    host: hostname(),
    machine: readOr('', () => readFileSync('/etc/machine-id', 'utf8').trim()),
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
