/** Wires the process to the command line: signals, standard streams, exit status. */
import { processSink } from './process-sink.ts';
import { runCli } from './run.ts';

const STOP_SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const INTERRUPTED = 130;

export async function runProcess(): Promise<void> {
  const stopping = new AbortController();
  for (const signal of STOP_SIGNALS) {
    // The second one does not wait for anything: what is half done is garbage at worst.
    process.on(signal, () => (stopping.signal.aborted ? process.exit(INTERRUPTED) : stopping.abort()));
  }
  const status = await runCli(process.argv.slice(2), {
    cwd: () => process.cwd(),
    env: process.env,
    stdout: processSink(process.stdout),
    stderr: processSink(process.stderr),
    signal: stopping.signal,
    now: Date.now,
  });
  // All is written: what still keeps the process (an idle thread, a signal handler) need not be waited for.
  process.exit(status);
}
