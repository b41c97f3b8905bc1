/** Starts the program through which people read what is longer than their screen. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import type { Sink } from './sink.ts';
import type { Environment } from './who.ts';

export interface Pager extends Sink {
  /** Ends what it is to show, and waits until whoever reads has left it. A shell tells only now if there is no such program. */
  close(): Promise<{ readonly ran: boolean }>;
}

/** Quits if all fits on one screen, keeps colours, leaves the text standing on the terminal. */
const LESS_OPTIONS = 'FRX';
/** What a shell ends with that does not find the program. */
const NOT_FOUND = 127;

/** The program in `PAGER`, by a shell, else `less`; undefined if there is none, or `PAGER` is empty or `cat`. */
export async function startPager(env: Environment): Promise<Pager | undefined> {
  const chosen = env['PAGER'];
  if (chosen === '' || chosen === 'cat' || env['TERM'] === 'dumb') return undefined;
  const child = spawn(chosen ?? 'less', {
    stdio: ['pipe', 'inherit', 'inherit'],
    shell: chosen !== undefined,
    // Whoever has set LESS knows better.
    env: { LESS: LESS_OPTIONS, ...env },
  });
  const started = await new Promise<boolean>((resolve) => {
    child.once('spawn', () => resolve(true));
    child.once('error', () => resolve(false));
  });
  return started ? pagerOf(child) : undefined;
}

function pagerOf(child: ChildProcess): Pager {
  const input = child.stdin!;
  // Each write tells of its own failure.
  input.on('error', () => {});
  const left = new Promise<number | null>((resolve) => child.once('close', resolve));
  return {
    isTTY: true,
    mayBlock: true,
    write: (data) =>
      new Promise((resolve, reject) => {
        input.write(data, (error) => (error == null ? resolve() : reject(error)));
      }),
    close: async () => {
      input.end();
      return { ran: (await left) !== NOT_FOUND };
    },
  };
}
