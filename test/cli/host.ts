/** Is the world outside for a command line under test: memory for streams, a fixed clock, no environment. */
import { runCli } from '#cli';
import type { Host, Sink } from '#cli';

export interface Told {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

export interface HostOptions {
  readonly cwd: string;
  readonly env?: Host['env'];
  readonly isTTY?: boolean;
  readonly signal?: AbortSignal;
  readonly stdin?: string;
  readonly stdout?: Sink;
  readonly startPager?: Host['startPager'];
}

export const NOW_MS = Date.UTC(2026, 0, 31, 12);

/** A sink that keeps what it is given. */
export function memorySink(options: { readonly isTTY?: boolean } = {}): Sink & { text(): string } {
  const parts: Buffer[] = [];
  return {
    isTTY: options.isTTY ?? false,
    mayBlock: true,
    write: async (data) => void parts.push(Buffer.from(data)),
    text: () => Buffer.concat(parts).toString('utf8'),
  };
}

export async function art(argv: readonly string[], options: HostOptions): Promise<Told> {
  const out = memorySink(options);
  const err = memorySink(options);
  const status = await runCli(argv, {
    cwd: () => options.cwd,
    // A home of its own: the settings of whoever runs the tests do not count.
    env: { ART_AUTHOR: 'Ada <ada@example.org>', XDG_CONFIG_HOME: `${options.cwd}/.home`, ...options.env },
    stdin: async function* () {
      yield Buffer.from(options.stdin ?? '');
    },
    stdout: options.stdout ?? out,
    stderr: err,
    signal: options.signal ?? new AbortController().signal,
    now: () => NOW_MS,
    ...(options.startPager && { startPager: options.startPager }),
  });
  return { status, out: out.text(), err: err.text() };
}
