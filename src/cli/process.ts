/** Wires the process to the command line: signals, standard streams, exit status. */
import { startPager } from './pager.ts';
import { processSink } from './process-sink.ts';
import { processSource } from './process-source.ts';
import { runCli } from './run.ts';
import { StopSignals } from './stop-signals.ts';

const STDIN = 0;
/** What the process ends with unless the command line says how it went. */
const UNANSWERED = 1;
const UNFINISHED = 'error: art ended before it was done; this is a fault in art [FAILED]\n';

export async function runProcess(): Promise<void> {
  // Whoever waits for what never comes leaves nothing to do, and Node would end with success.
  process.exitCode = UNANSWERED;
  process.once('beforeExit', () => process.stderr.write(UNFINISHED));
  const stop = new StopSignals(process);
  const { signal } = stop;
  const status = await runCli(process.argv.slice(2), {
    cwd: () => process.cwd(),
    env: process.env,
    stdin: () => processSource(STDIN, signal),
    stdout: processSink(1),
    stderr: processSink(2),
    signal,
    now: Date.now,
    startPager: async (env) => {
      const pager = await startPager(env);
      return pager && stop.leftTo(pager);
    },
  });
  // All is written: what still keeps the process (an idle thread, a signal handler) need not be waited for.
  process.exit(status);
}
